"""The forms that a trained detector is benchmarked in: each exported, judged, and ready to be timed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.deploy.evaluate import evaluate_exported
from mobilenext_det.deploy.formats import FORMATS, Options, write_exported
from mobilenext_det.deploy.pictures import calibration_images, image_paths
from mobilenext_det.engine.config import load_config, require_data
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector

FORMS, PRECISIONS = tuple(FORMATS), ('fp32', 'int8')
PYTORCH, STOCK = 'pytorch', 'stock'  # the forms that are no exported files
FORM_NAMES = {STOCK: 'MMDetection', PYTORCH: 'PyTorch'} | {name: form.title for name, form in FORMATS.items()}


class Trained:
    """A trained detector.

    Args:
        config: The config file.
        checkpoint: The weights.
        cfg_options: `key=value` settings.
        data_root: Where the data is, instead of the config's.

    Attributes:
        name: Name of the config.
        weights: First digits of the checkpoint's SHA-256, as in the names of published checkpoints.

    Raises:
        UsageError: If a file is missing.
    """

    def __init__(
        self, config: str, checkpoint: str, cfg_options: Sequence[str] = (), data_root: str | None = None
    ) -> None:
        self.config, self.checkpoint = config, checkpoint
        self.settings = dict(cfg_options=list(cfg_options), data_root=data_root)
        self.cfg = load_config(self.config, **self.settings)
        require_checkpoint(self.checkpoint)
        self.name = Path(self.config).stem
        self.weights = hashlib.sha256(Path(self.checkpoint).read_bytes()).hexdigest()[:8]

    @classmethod
    def parse(cls, given: str, cfg_options: Sequence[str] = (), data_root: str | None = None) -> Trained:
        """Read `CONFIG=CHECKPOINT` of a command line.

        Raises:
            UsageError: If it is no such pair or a file is missing.
        """
        config, _, checkpoint = given.partition('=')
        if not checkpoint:
            raise UsageError(f'{given} has no weights: write CONFIG=CHECKPOINT.')
        return cls(config, checkpoint, cfg_options, data_root)

    @cached_property
    def detector(self) -> Detector:
        """The detector as PyTorch runs it."""
        return Detector(self.cfg, self.checkpoint)

    @cached_property
    def calibration(self) -> np.ndarray:
        """Training pictures, as int8 needs them."""
        return calibration_images(self.cfg)

    def pictures(self, number: int) -> list[str]:
        """Return the files of the first pictures of its test set.

        Args:
            number: How many at most.

        Raises:
            UsageError: If there are none.
        """
        require_data(self.cfg, 'test_dataloader')
        paths = image_paths(self.cfg.test_dataloader.dataset)
        files = paths[:number]
        if not files:
            raise UsageError(f'There are no pictures to time: --images is {number}, the test set has {len(paths)}.')
        return files

    def row(self, form: str, precision: str, path: Path) -> dict[str, Any]:
        """Begin a row of the table with what is known before anything is measured.

        Args:
            form: What runs it.
            precision: 'fp32' or 'int8'.
            path: The file that is run.
        """
        names = dict(network=self.name, weights=self.weights, form=form, precision=precision)
        return names | dict(checkpoint=Path(self.checkpoint).name, file_bytes=path.stat().st_size)


def form_name(form: str, precision: str) -> str:
    """Return what people call a form, as the heading of a column: `ONNX Runtime int8`."""
    return FORM_NAMES[form] + (' int8' if precision == 'int8' else '')


def wanted(forms: Sequence[str], precisions: Sequence[str]) -> list[tuple[str, str]]:
    """List forms and precisions in the order of the table, without those in int8 that there are not."""
    both = [
        (form, precision) for form in FORMS for precision in PRECISIONS if form in forms and precision in precisions
    ]
    return [(form, precision) for form, precision in both if precision == 'fp32' or FORMATS[form].has_int8]


def make_forms(
    trained: Trained, pairs: Sequence[tuple[str, str]], judge: bool, folder: Path
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Make one form after another, PyTorch's own first.

    Args:
        trained: The detector.
        pairs: Forms and precisions to export it in.
        judge: Whether to compute mAP.
        folder: Where files go.

    Yields:
        A row of the table, and what `benchmark_worker.py` needs to time it.
    """
    scores = evaluate(trained.cfg, trained.checkpoint, work_dir=folder).scores if judge else {}
    job = dict(config=trained.config, checkpoint=trained.checkpoint, cfg_options=trained.settings['cfg_options'])
    yield trained.row(PYTORCH, 'fp32', Path(trained.checkpoint)) | _maps(scores), job | dict(form=PYTORCH)
    for form, precision in pairs:
        calibration = trained.calibration if precision == 'int8' else None
        path = write_exported(trained.detector, folder / trained.weights, form, Options(calibration))
        scores = evaluate_exported(trained.cfg, path, work_dir=folder).scores if judge else {}
        yield trained.row(form, precision, path) | _maps(scores), dict(form=form, path=str(path))


def _maps(scores: dict[str, float]) -> dict[str, float | None]:
    return {f'mAP_{mode}': scores.get(f'voc/mAP_{mode}') for mode in ('11points', 'area')}
