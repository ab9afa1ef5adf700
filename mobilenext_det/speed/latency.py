"""How long trained detectors take for one image: in PyTorch, and in the forms that they are deployed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.logging import print_log

from mobilenext_det.deploy.formats import Options, open_exported, write_exported
from mobilenext_det.errors import UsageError
from mobilenext_det.hardware import cpu_name

from .forms import PYTORCH, Trained

_EXPORTED = (('onnx', 'fp32'), ('onnx', 'int8'))
_IMAGES, _WARM_UP = 50, 5

Detect = Callable[[np.ndarray], list[dict]]


@dataclass(frozen=True)
class Latency:
    """What one form of one detector takes.

    Attributes:
        network: Name of its config.
        form: 'pytorch', or what it was exported to.
        precision: 'fp32' or 'int8'.
        milliseconds: Median, from the picture in memory to its boxes.
    """

    network: str
    form: str
    precision: str
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

    The time runs from the picture in memory to its boxes: resizing, network and suppression, one image at a time. The
    detectors and forms take turns at every image, so that whatever else the machine does slows all of them alike. A
    detector that cannot be exported is measured in PyTorch alone.

    Args:
        detectors: What to measure.
        folder: Where exported files go.
    """
    threads = torch.get_num_threads()
    forms = [(row, detect) for trained in detectors for row, detect in _forms(trained, folder, threads)]
    images = [cv2.imread(path) for path in detectors[0].pictures(_IMAGES)]
    seconds: list[list[float]] = [[] for _ in forms]
    for image in (*images[:_WARM_UP], *images):
        for own, (_, detect) in zip(seconds, forms, strict=True):
            started = time.perf_counter()
            detect(image)
            own.append(time.perf_counter() - started)
    medians = [round(1000 * float(np.median(own[-len(images) :])), 3) for own in seconds]
    rows = [Latency(*names, median) for (names, _), median in zip(forms, medians, strict=True)]
    return Latencies(rows, len(images), cpu_name(), threads)


def _forms(trained: Trained, folder: Path, threads: int) -> list[tuple[tuple[str, str, str], Detect]]:
    """Return the detector in every form that it can be deployed in."""
    forms: list[tuple[tuple[str, str, str], Detect]] = [((trained.name, PYTORCH, 'fp32'), trained.detector)]
    try:
        for form, precision in _EXPORTED:
            options = Options(trained.calibration if precision == 'int8' else None)
            path = write_exported(trained.detector, folder, form, options)
            forms.append(((trained.name, form, precision), open_exported(path, threads)))
    except UsageError as error:
        print_log(f'{trained.name} is measured in PyTorch alone: {error}')
    return forms
