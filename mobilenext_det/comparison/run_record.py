"""One finished run of a comparison as a JSON file: small, the same on every machine, and all that a report needs."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mobilenext_det.analysis.complexity import Count
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .bootstrap import mean_ap, resampled_ap
from .identity import Identity
from .modes import MODES, with_prefix, without_prefix
from .outcomes import Outcomes

FORMAT = 1
_WHAT = {
    'config': 'the config',
    'train_images': 'the list of training images',
    'test_images': 'the list of test images',
    'checkpoint': 'the checkpoint, or the weights that training starts from,',
}


def none_if_nan(value: float) -> float | None:
    """Return a number as JSON has it: what is undefined is None."""
    return None if math.isnan(value) else float(value)


@dataclass(frozen=True)
class Metrics:
    """Average precisions by mode; None where undefined.

    Attributes:
        mAP: Mean over the classes that have objects.
        per_class: AP of every class.
    """

    mAP: dict[str, float | None]
    per_class: dict[str, dict[str, float | None]]

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Metrics:
        """Undo :meth:`as_dict`."""
        per_class = {name: without_prefix('AP', values) for name, values in record['per_class'].items()}
        return cls(without_prefix('mAP', record), per_class)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        per_class = {name: with_prefix('AP', values) for name, values in self.per_class.items()}
        return {**with_prefix('mAP', self.mAP), 'per_class': per_class}


@dataclass(frozen=True)
class Curve:
    """What a training went through; empty for a checkpoint that was given.

    Attributes:
        loss: An iteration and the mean loss up to it.
        validation: An iteration, and mAP as 11 points and as area after it.
    """

    loss: list[tuple[int, float | None]]
    validation: list[tuple[int, float | None, float | None]]

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Curve:
        """Read what JSON holds as lists."""
        return cls(**{name: [tuple(point) for point in points] for name, points in record.items()})


@dataclass(frozen=True)
class Training:
    """The iterations of a training that count, without validation and what a kill threw away.

    Attributes:
        iterations: Their number.
        seconds: Their time together.
        images_per_second: Median speed.
    """

    iterations: int
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class Cost:
    """Cost of a detector.

    Attributes:
        parts: Parameters and multiply-adds of its parts, and of all as 'total'.
        weights_bytes: Size of a file of the weights alone.
    """

    parts: dict[str, Count]
    weights_bytes: int

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Cost:
        """Undo :meth:`as_dict`."""
        parts = {part: Count(**count) for part, count in record.items() if part != 'weights_bytes'}
        return cls(parts, record['weights_bytes'])

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {part: count._asdict() for part, count in self.parts.items()} | {'weights_bytes': self.weights_bytes}


@dataclass(frozen=True)
class Environment:
    """Where a run was made.

    Attributes:
        torch: Version of PyTorch.
        mobilenext_det: Version of this package.
        device: Name of the GPU, or 'cpu'.
        cpu: The processor.
        threads: Its threads.
    """

    torch: str
    mobilenext_det: str
    device: str
    cpu: str
    threads: int

    def __str__(self) -> str:
        """Name the device."""
        return f'{self.cpu}, {self.threads} threads' if self.device == 'cpu' else self.device


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        config: Name of the config.
        seed: Seed it was trained with, or the place of its checkpoint in the list given.
        identity: What it comes from.
        metrics: Its average precisions.
        curve: What its training went through.
        training: How long that took; None for a checkpoint that was given.
        model: What the detector costs.
        environment: Where it was made.
        outcomes: What AP depends on.
    """

    config: str
    seed: int
    identity: Identity
    metrics: Metrics
    curve: Curve
    training: Training | None
    model: Cost
    environment: Environment
    outcomes: Outcomes

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Run:
        """Undo :meth:`as_dict`."""
        parts = {
            'identity': Identity(**record['identity']),
            'metrics': Metrics.from_dict(record['metrics']),
            'curve': Curve.from_dict(record['curve']),
            'training': Training(**record['training']) if record['training'] else None,
            'model': Cost.from_dict(record['model']),
            'environment': Environment(**record['environment']),
            'outcomes': Outcomes.from_dict(record['outcomes']),
        }
        return cls(**record | parts)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            'config': self.config,
            'seed': self.seed,
            'identity': asdict(self.identity),
            'metrics': self.metrics.as_dict(),
            'curve': asdict(self.curve),
            'training': asdict(self.training) if self.training else None,
            'model': self.model.as_dict(),
            'environment': asdict(self.environment),
            'outcomes': self.outcomes.as_dict(),
        }

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return list(self.metrics.per_class)


def run_path(out: str | Path, config: str, seed: int) -> Path:
    """Return the file of a run in the folder of its comparison."""
    return Path(out, 'runs', f'{config}-seed{seed}.json')


def write_run(path: Path, run: Run) -> None:
    """Write a run so that the file is whole or not there.

    Args:
        path: The file.
        run: The run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {'format': FORMAT, **run.as_dict()}
    lines = ',\n'.join(f'{json.dumps(key)}: {json.dumps(value, allow_nan=False)}' for key, value in record.items())
    write_atomically(f'{{\n{lines}\n}}\n'.encode(), path)


def read_run(path: Path) -> Run:
    """Read a run and check it: its outcomes must give the average precisions that it states.

    Args:
        path: The file.

    Raises:
        UsageError: If the file is damaged.
    """
    try:
        record = json.loads(path.read_text(), parse_constant=_refuse)
        if record.pop('format') != FORMAT:
            raise ValueError('it has another format')
        run = Run.from_dict(record)
        _check_numbers(run)
        _check_metrics(run)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise UsageError(
            f'{path} is not a whole run of this version ({type(error).__name__}: {error}); '
            'delete it and compare again, which makes that run anew.'
        ) from None
    return run


def _refuse(constant: str) -> None:
    raise ValueError(f'{constant} is no number of a run')


def _check_numbers(run: Run) -> None:
    """Raise a ValueError if what is computed with later is of another type, which a dataclass takes."""
    curves = [value for point in (*run.curve.loss, *run.curve.validation) for value in point if value is not None]
    training = asdict(run.training).values() if run.training else ()
    costs = [number for count in run.model.parts.values() for number in count]
    for value in (run.seed, run.model.weights_bytes, *costs, *training, *curves):
        if not isinstance(value, int | float):
            raise ValueError(f'{value!r} is no number')


def _check_metrics(run: Run) -> None:
    ap = resampled_ap(run.outcomes, np.ones((len(run.outcomes.objects), 1), np.int32))
    for mode in MODES:
        stated = [*(values[mode] for values in run.metrics.per_class.values()), run.metrics.mAP[mode]]
        found = [*ap[mode][:, 0], mean_ap(ap[mode])[0]]
        if not np.allclose(np.array(stated, float), found, rtol=1e-9, atol=1e-12, equal_nan=True):
            raise ValueError(f'its outcomes do not give its AP, {mode}')


def require_same(stored: Run, path: Path, identity: Identity) -> None:
    """Refuse a stored run that another config, other images or another checkpoint gave.

    Args:
        stored: The run.
        path: Its file.
        identity: What it should come from.

    Raises:
        UsageError: If it does not; the sentence says what differs and how to go on.
    """
    changed = [what for name, what in _WHAT.items() if getattr(stored.identity, name) != getattr(identity, name)]
    if changed:
        raise UsageError(
            f'{path} comes from other settings than those of today: {" and ".join(changed)} changed since; restore '
            'them, compare into another --out, or delete the runs of this config to make them anew.'
        )
