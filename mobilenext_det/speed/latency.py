"""How long trained detectors take for one image: in PyTorch, and in the forms that they are deployed in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import print_log

from mobilenext_det.errors import UsageError
from mobilenext_det.hardware import cpu_name

from .forms import Form, Trained, make_forms, time_pictures
from .turns import Job

_EXPORTED = (('onnx', 'fp32'), ('onnx', 'int8'))
_IMAGES = 50


@dataclass(frozen=True)
class Latency(Form):
    """What a form takes: the median in milliseconds, from the picture in memory to its boxes."""

    milliseconds: float


@dataclass(frozen=True)
class Latencies:
    """What was measured, and on what.

    Attributes:
        rows: Every form of every detector.
        images: How many images each of them was given.
        cpu: The processor.
        threads: Threads of each.
    """

    rows: list[Latency]
    images: int
    cpu: str
    threads: int


def measure_latency(detectors: Sequence[Trained], folder: Path) -> Latencies:
    """Measure detectors on the CPU, on the first test images of the first one.

    The time runs from the picture in memory to its boxes: resizing, network and suppression, one image at a time. Every
    form of every detector has a process of its own, and all take turns. A detector that cannot be exported is measured
    in PyTorch alone.

    Args:
        detectors: What to measure.
        folder: Where exported files go.

    Raises:
        UsageError: If a detector cannot be opened, or a picture cannot be read.
    """
    threads = torch.get_num_threads()
    jobs = {form: replace(job, threads=threads) for trained in detectors for form, job in _forms(trained, folder)}
    files = detectors[0].pictures(_IMAGES)
    rows = [
        Latency(**vars(form), milliseconds=round(1000 * float(np.median(timing.image)), 3))
        for form, timing in time_pictures(jobs, files).items()
    ]
    return Latencies(rows, len(files), cpu_name(), threads)


def _forms(trained: Trained, folder: Path) -> Iterator[tuple[Form, Job]]:
    try:
        for form, _, job in make_forms(trained, _EXPORTED, folder):
            yield form, job
    except UsageError as error:
        print_log(f'{trained.name} is measured in PyTorch alone: {error}')
