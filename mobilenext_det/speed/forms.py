"""The forms that a trained detector is benchmarked in: each exported, evaluated, and timed in a process of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
from mmengine.config import Config

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.deploy.evaluate import evaluate_exported
from mobilenext_det.deploy.formats import FORMATS, Options, find_format, is_exported, write_exported
from mobilenext_det.deploy.pictures import calibration_images, image_paths
from mobilenext_det.engine.config import load_config, require_data
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector

from .commands import stock_config
from .processes import peak_mib
from .turns import Job, take_turns, workers

FORMS, PRECISIONS = tuple(FORMATS), ('fp32', 'int8')
PYTORCH, STOCK = 'pytorch', 'stock'  # the forms that are no exported files
FORM_NAMES = {STOCK: 'MMDetection', PYTORCH: 'PyTorch'} | {name: form.title for name, form in FORMATS.items()}
_PICTURES, _WARM_UP = 10, 5  # a turn, and before the first one

Key = TypeVar('Key')


@dataclass(frozen=True)
class Form:
    """A network as it is run: in 'pytorch', as 'stock' does, or in one of `FORMS`; in 'fp32' or 'int8'."""

    network: str
    form: str
    precision: str


@dataclass(frozen=True)
class Timing:
    """What one process measured.

    Attributes:
        network: (n,) seconds of the network call on each picture.
        image: (n,) seconds from each picture in memory to its boxes; stock's has the decoding of its file in it.
        file: (n,) seconds from each picture's file to its boxes.
        peak_mib: Its largest resident memory; None where it is not known.
        imports_mib: What of this it had before it opened the detector.
    """

    network: np.ndarray
    image: np.ndarray
    file: np.ndarray
    peak_mib: float | None
    imports_mib: float | None


class Trained:
    """A trained detector.

    Args:
        config: Its config.
        checkpoint: The weights.

    Attributes:
        name: Name of the config.
        weights: First digits of the checkpoint's SHA-256, as in the names of published checkpoints.

    Raises:
        UsageError: If there is no such checkpoint.
    """

    def __init__(self, config: Config, checkpoint: str | Path) -> None:
        require_checkpoint(str(checkpoint))
        self.config, self.checkpoint = config, Path(checkpoint)
        self.name = Path(config.filename).stem
        self.weights = hashlib.sha256(self.checkpoint.read_bytes()).hexdigest()[:8]

    @classmethod
    def parse(cls, given: str, cfg_options: Sequence[str] = (), data_root: str | None = None) -> Trained:
        """Read `CONFIG=CHECKPOINT` of a command line.

        Raises:
            UsageError: If it is no such pair or a file is missing.
        """
        config, _, checkpoint = given.partition('=')
        if not checkpoint:
            raise UsageError(f'{given} has no weights: write CONFIG=CHECKPOINT.')
        return cls(load_config(config, cfg_options, data_root), checkpoint)

    @cached_property
    def detector(self) -> Detector:
        """The detector as PyTorch runs it."""
        return Detector(self.config, self.checkpoint)

    @cached_property
    def calibration(self) -> np.ndarray:
        """Training pictures, as int8 needs them."""
        return calibration_images(self.detector)

    def pictures(self, number: int) -> list[str]:
        """Return the files of the first pictures of its test set.

        Args:
            number: How many at most.

        Raises:
            UsageError: If there are none.
        """
        require_data(self.config, 'test_dataloader')
        paths = image_paths(self.config.test_dataloader.dataset)
        files = paths[:number]
        if not files:
            raise UsageError(f'There are no pictures to time: --images is {number}, the test set has {len(paths)}.')
        return files

    def evaluate(self, path: Path, work_dir: Path) -> dict[str, float]:
        """Return its scores on the test set of its config.

        Args:
            path: The checkpoint, or what it was exported to.
            work_dir: Where the log goes.
        """
        run = evaluate_exported if is_exported(str(path)) else evaluate
        return run(self.config, path, work_dir=work_dir).scores


def form_name(form: str, precision: str) -> str:
    """Return what people call a form, as the heading of a column: `ONNX Runtime int8`."""
    return FORM_NAMES[form] + (' int8' if precision == 'int8' else '')


def wanted(forms: Sequence[str], precisions: Sequence[str]) -> list[tuple[str, str]]:
    """List forms and precisions in the order of the table, without those in int8 that there are not.

    Raises:
        UsageError: If there is no such form.
    """
    asked = {find_format(form).name for form in forms}
    both = [
        (form, precision) for form in FORMS for precision in PRECISIONS if form in asked and precision in precisions
    ]
    return [(form, precision) for form, precision in both if precision == 'fp32' or FORMATS[form].has_int8]


def stock_job() -> Job:
    """Return what times MMDetection's own SSDLite."""
    return Job(STOCK, dict(config=stock_config()))


def make_forms(trained: Trained, pairs: Sequence[tuple[str, str]], folder: Path) -> Iterator[tuple[Form, Path, Job]]:
    """Make one form after another, PyTorch's own first.

    Args:
        trained: The detector.
        pairs: Forms and precisions to export it in.
        folder: Where files go.

    Yields:
        The form, the file that is run, and what times it.
    """
    folder = folder / trained.weights
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / f'{trained.name}.py'
    trained.config.dump(config)
    given = dict(config=str(config), checkpoint=str(trained.checkpoint))
    yield Form(trained.name, PYTORCH, 'fp32'), trained.checkpoint, Job(PYTORCH, given)
    for form, precision in pairs:
        options = Options(trained.calibration if precision == 'int8' else None)
        path = write_exported(trained.detector, folder, form, options)
        yield Form(trained.name, form, precision), path, Job(form, dict(path=str(path)))


def time_pictures(jobs: Mapping[Key, Job], files: Sequence[str]) -> dict[Key, Timing]:
    """Time every job in a process of its own, all on the same pictures, a few pictures at a time and one after another.

    Args:
        jobs: What is timed.
        files: Picture files.

    Raises:
        UsageError: If a detector cannot be opened, a picture cannot be read, or a process dies.
    """
    turns = [files[start : start + _PICTURES] for start in range(0, len(files), _PICTURES)]
    with workers(jobs) as processes:
        for worker in processes.values():
            worker.ask(files[:_WARM_UP])
        answers = take_turns({key: worker.ask for key, worker in processes.items()}, turns)
        peaks = {key: peak_mib(worker.pid) for key, worker in processes.items()}
    timings = {}
    for key, worker in processes.items():
        network, image, file = (
            np.array([picture[what] for turn in answers[key] for picture in turn])
            for what in ('network', 'image', 'file')
        )
        timings[key] = Timing(network, image, file, peaks[key] or None, worker.imports_mib or None)
    return timings
