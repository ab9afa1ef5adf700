"""The numbers of a comparison's report; what is undefined is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mobilenext_det.speed.latency import Latencies

from .modes import with_prefix
from .run_record import Cost, Run


@dataclass(frozen=True)
class Estimate:
    """A difference in AP, and the interval that it lies in.

    Attributes:
        mean: Difference of the means over the runs.
        interval: Its ends.
    """

    mean: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class SeedMean:
    """A mean over the runs of a config.

    Attributes:
        mean: The mean.
        sd: Sample standard deviation of the runs; None for a single run.
        interval: Ends of the interval that the mean lies in.
    """

    mean: float | None
    sd: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Difference:
    """What a config has more than the first one.

    Attributes:
        mAP: By mode.
        per_class: AP of every class by mode.
    """

    mAP: dict[str, Estimate]
    per_class: dict[str, dict[str, Estimate]]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        per_class = {name: _plain('AP', values) for name, values in self.per_class.items()}
        return {'per_class': per_class, **_plain('mAP', self.mAP)}


@dataclass(frozen=True)
class ConfigResult:
    """The numbers of one config.

    Attributes:
        runs: Its runs.
        mAP: By mode.
        per_class: Mean AP of every class by mode.
        difference: From the first config; None for that one.
    """

    runs: Sequence[Run]
    mAP: dict[str, SeedMean]
    per_class: dict[str, dict[str, float | None]]
    difference: Difference | None

    @property
    def cost(self) -> Cost:
        """Cost of the detector."""
        return self.runs[0].model

    @property
    def train_seconds(self) -> float | None:
        """Mean time of a training; None if none was trained."""
        seconds = [run.training.seconds for run in self.runs if run.training]
        return float(np.mean(seconds)) if seconds else None

    @property
    def images_per_second(self) -> float | None:
        """Median speed of the trainings; None if none was trained."""
        speeds = [run.training.images_per_second for run in self.runs if run.training]
        return float(np.median(speeds)) if speeds else None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            'runs': len(self.runs),
            **_plain('mAP', self.mAP),
            'per_class': {name: with_prefix('AP', values) for name, values in self.per_class.items()},
            'model': self.cost.as_dict(),
            'train_seconds': self.train_seconds,
            'images_per_second': self.images_per_second,
            'each': [_run_as_dict(run) for run in self.runs],
            'difference': self.difference.as_dict() if self.difference else None,
        }


@dataclass(frozen=True)
class Comparison:
    """Everything that a report says.

    Attributes:
        configs: By name; the others are compared with the first.
        resamples: Resamples of the bootstrap.
        level: Share of the replicates inside an interval.
        latencies: Time for one image, if it was measured.
    """

    configs: dict[str, ConfigResult]
    resamples: int
    level: float
    latencies: Latencies | None = None

    @property
    def first(self) -> str:
        """Name of the config that the others are compared with."""
        return next(iter(self.configs))

    @property
    def others(self) -> dict[str, Difference]:
        """Differences of the other configs, by name."""
        return {name: config.difference for name, config in self.configs.items() if config.difference}

    @property
    def images(self) -> int:
        """Number of test images."""
        return len(self._some_run.outcomes.objects)

    @property
    def objects(self) -> dict[str, int]:
        """Ground-truth objects of every class in the test images."""
        return dict(zip(self._some_run.classes, self._some_run.outcomes.objects.sum(0).tolist(), strict=True))

    @property
    def _some_run(self) -> Run:
        return self.configs[self.first].runs[0]

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            'first': self.first,
            'images': self.images,
            'classes': list(self.objects),
            'objects': self.objects,
            'resamples': self.resamples,
            'level': self.level,
            'configs': {name: config.as_dict() for name, config in self.configs.items()},
            'latency': asdict(self.latencies) if self.latencies else None,
        }


def _plain(prefix: str, values: Mapping[str, Estimate | SeedMean]) -> dict[str, Any]:
    return with_prefix(
        prefix,
        {mode: asdict(value) | {'interval': value.interval and list(value.interval)} for mode, value in values.items()},
    )


def _run_as_dict(run: Run) -> dict[str, Any]:
    return {
        'seed': run.seed,
        **with_prefix('mAP', run.metrics.mAP),
        'training': asdict(run.training) if run.training else None,
        'environment': asdict(run.environment),
        'checkpoint': run.identity.checkpoint,
    }
