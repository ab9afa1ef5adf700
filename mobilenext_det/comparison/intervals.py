"""From finished runs to every number of a comparison's report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.latency import Latencies

from .bootstrap import interval, mean_ap, resample_images, resample_seeds, resampled_ap
from .identity import Identity
from .modes import MODES
from .results import Comparison, ConfigResult, Difference, Estimate, SeedMean
from .run_record import Run, none_if_nan

RESAMPLES = 2000
LEVEL = 0.95


def compare_runs(runs: Mapping[str, Sequence[Run]], latencies: Latencies | None = None) -> Comparison:
    """Summarise the runs of each config and its difference from the first.

    Args:
        runs: The runs by the name of their config; the first config is what the others are compared with.
        latencies: Time for one image, if it was measured.

    Raises:
        UsageError: If the runs of one config differ in more than their seed, or two configs were tested on different
            images or classes.
    """
    _require_comparable(runs)
    first = next(iter(runs))
    weights = resample_images(len(runs[first][0].outcomes.objects), RESAMPLES)
    replicates = {name: _replicates(of_config, index, weights) for index, (name, of_config) in enumerate(runs.items())}
    configs = {}
    for name, of_config in runs.items():
        difference = _difference(of_config, runs[first], replicates[name], replicates[first]) if name != first else None
        configs[name] = _config_result(of_config, replicates[name], difference)
    return Comparison(configs, RESAMPLES, LEVEL, latencies)


def _require_comparable(runs: Mapping[str, Sequence[Run]]) -> None:
    first = next(iter(runs.values()))[0]
    for name, of_config in runs.items():
        odd = [run.seed for run in of_config if _recipe(run) != _recipe(of_config[0])]
        if odd:
            raise UsageError(
                f'The runs of {name} with seeds {of_config[0].seed} and {odd[0]} come from different settings or '
                'images: delete the files of one of them and make those runs anew.'
            )
        one = of_config[0]
        if one.identity.test_images != first.identity.test_images or one.classes != first.classes:
            raise UsageError(
                f'{first.config} and {name} were tested on different images or classes: compare configs with the same '
                'test set.'
            )


def _recipe(run: Run) -> Identity:
    """What all runs of a config share; their checkpoints are their own."""
    return replace(run.identity, checkpoint=None)


def _replicates(runs: Sequence[Run], index: int, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Both APs of every class, and behind them their mean, in every replicate: (C + 1, B) by mode."""
    values = [resampled_ap(run.outcomes, weights) for run in runs]
    of_modes = {}
    for mode in MODES:
        classes = np.stack([value[mode] for value in values])
        everything = np.concatenate([classes, mean_ap(classes)[:, None]], axis=1)
        # Seeded by the place of the config, so that its numbers stay when others are added behind it.
        of_modes[mode] = resample_seeds(everything, np.random.default_rng([1, index]))
    return of_modes


def _config_result(
    runs: Sequence[Run], replicates: Mapping[str, np.ndarray], difference: Difference | None
) -> ConfigResult:
    values = {mode: _values(runs, mode) for mode in MODES}
    means = {mode: [none_if_nan(mean) for mean in values[mode].mean(0)] for mode in MODES}
    seed_means = {}
    for mode in MODES:
        sd = none_if_nan(np.std(values[mode][:, -1], ddof=1)) if len(runs) > 1 else None
        seed_means[mode] = SeedMean(means[mode][-1], sd, _interval(replicates[mode][-1]))
    per_class = {label: {mode: means[mode][row] for mode in MODES} for row, label in enumerate(runs[0].classes)}
    return ConfigResult(runs, seed_means, per_class, difference)


def _difference(
    runs: Sequence[Run], first: Sequence[Run], replicates: Mapping[str, np.ndarray], of_first: Mapping[str, np.ndarray]
) -> Difference:
    """Differences from the first config, of the means and of every class."""
    estimates = {}
    for mode in MODES:
        means = _values(runs, mode).mean(0) - _values(first, mode).mean(0)
        moved = replicates[mode] - of_first[mode]
        rows = zip(means, moved, strict=True)
        estimates[mode] = [Estimate(none_if_nan(mean), _interval(of_row)) for mean, of_row in rows]
    per_class = {label: {mode: estimates[mode][row] for mode in MODES} for row, label in enumerate(first[0].classes)}
    return Difference({mode: estimates[mode][-1] for mode in MODES}, per_class)


def _values(runs: Sequence[Run], mode: str) -> np.ndarray:
    """AP of every class, and behind them their mean, in every run: (S, C + 1); NaN where undefined."""
    rows = [[*(ap[mode] for ap in run.metrics.per_class.values()), run.metrics.mAP[mode]] for run in runs]
    return np.array(rows, float)


def _interval(replicates: np.ndarray) -> tuple[float, float] | None:
    return None if np.isnan(replicates).all() else interval(replicates, LEVEL)
