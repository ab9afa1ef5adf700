"""From finished runs to every number of a comparison's report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mobilenext_det.errors import UsageError

from .bootstrap import MODES, interval, mean_ap, resample_images, resample_seeds, resampled_ap
from .run_record import Run

RESAMPLES = 2000
LEVEL = 0.95


def compare_runs(runs: Mapping[str, Sequence[Run]], latency: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Summarise the runs of each config and its difference from the first.

    Args:
        runs: The runs by the name of their config; the first config is what the others are compared with.
        latency: Milliseconds of each deployed form and config, and where they were measured.

    Returns:
        Plain numbers for JSON; None where one is undefined.

    Raises:
        UsageError: If the runs of one config differ in more than their seed, or two configs were tested on different
            images or classes.
    """
    _require_comparable(runs)
    first = next(iter(runs))
    some = runs[first][0]
    weights = resample_images(len(some.outcomes.objects), RESAMPLES)
    replicates = {name: _replicates(of_config, index, weights) for index, (name, of_config) in enumerate(runs.items())}
    configs = {
        name: _of_config(of_config, replicates[name]) | _difference(runs, replicates, first, name)
        for name, of_config in runs.items()
    }
    result = {
        'first': first,
        'images': len(some.outcomes.objects),
        'classes': some.classes,
        'objects': dict(zip(some.classes, some.outcomes.objects.sum(0).tolist(), strict=True)),
        'resamples': RESAMPLES,
        'level': LEVEL,
        'configs': configs,
        'latency': dict(latency) if latency else None,
    }
    return _without_nan(result)


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
        if one.identity['test_images'] != first.identity['test_images'] or one.classes != first.classes:
            raise UsageError(
                f'{first.config} and {name} were tested on different images or classes: compare configs with the same '
                'test set.'
            )


def _recipe(run: Run) -> tuple:
    return run.identity['config'], run.identity['train_images'], run.identity['test_images']


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


def _of_config(runs: Sequence[Run], replicates: Mapping[str, np.ndarray]) -> dict[str, Any]:
    trained = [run.training for run in runs if run.training]
    means = {}
    for mode in MODES:
        values = [_number(run.metrics[f'mAP_{mode}']) for run in runs]
        means[f'mAP_{mode}'] = {
            'mean': float(np.mean(values)),
            'sd': float(np.std(values, ddof=1)) if len(values) > 1 else None,
            'interval': _interval(replicates[mode][-1]),
        }
    return {
        'runs': len(runs),
        **means,
        'per_class': {name: {f'AP_{mode}': _mean_ap(runs, name, mode) for mode in MODES} for name in runs[0].classes},
        'model': runs[0].model,
        'train_seconds': float(np.mean([run['seconds'] for run in trained])) if trained else None,
        'images_per_second': float(np.median([run['images_per_second'] for run in trained])) if trained else None,
        'each': [
            {'seed': run.seed, **{f'mAP_{mode}': run.metrics[f'mAP_{mode}'] for mode in MODES}}
            | {'training': run.training, 'environment': run.environment, 'checkpoint': run.identity['checkpoint']}
            for run in runs
        ],
    }


def _difference(
    runs: Mapping[str, Sequence[Run]], replicates: Mapping[str, Mapping[str, np.ndarray]], first: str, name: str
) -> dict[str, Any]:
    """Differences from the first config, of the means and of every class."""
    if name == first:
        return {'difference': None}
    difference: dict[str, Any] = {'per_class': {}}
    for mode in MODES:
        moved = replicates[name][mode] - replicates[first][mode]
        means = [np.mean([_number(run.metrics[f'mAP_{mode}']) for run in runs[key]]) for key in (name, first)]
        difference[f'mAP_{mode}'] = {'mean': float(means[0] - means[1]), 'interval': _interval(moved[-1])}
        for row, label in enumerate(runs[first][0].classes):
            mean = _mean_ap(runs[name], label, mode) - _mean_ap(runs[first], label, mode)
            of_class = difference['per_class'].setdefault(label, {})
            of_class[f'AP_{mode}'] = {'mean': mean, 'interval': _interval(moved[row])}
    return {'difference': difference}


def _mean_ap(runs: Sequence[Run], label: str, mode: str) -> float:
    return float(np.mean([_number(run.metrics['per_class'][label][f'AP_{mode}']) for run in runs]))


def _interval(replicates: np.ndarray) -> list[float] | None:
    return None if np.isnan(replicates).all() else list(interval(replicates, LEVEL))


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
