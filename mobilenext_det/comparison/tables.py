"""The tables of a comparison: accuracy, cost, classes and runs."""

from __future__ import annotations

from mobilenext_det.display.tables import UNDEFINED, Column, Table, number, percent, points
from mobilenext_det.speed.forms import form_name

from .modes import MODES
from .results import Comparison, Estimate, SeedMean


def accuracy_table(comparison: Comparison) -> Table:
    """The mAP of every config and its difference from the first.

    Args:
        comparison: The numbers.
    """
    means = [Column(f'mAP {words}', seed_mean) for words in MODES.values()]
    differences = [Column(f'difference, {words}', estimate) for words in MODES.values()]
    table = Table([Column('config', words=True), Column('runs'), *means, *differences])
    for name, config in comparison.configs.items():
        difference = config.difference.mAP if config.difference else {}
        table.add_row(name, len(config.runs), *(config.mAP[mode] for mode in MODES), *map(difference.get, MODES))
    return table


def cost_table(comparison: Comparison) -> Table:
    """What every config costs.

    Args:
        comparison: The numbers.
    """
    latencies = comparison.latencies.rows if comparison.latencies else []
    forms = list(dict.fromkeys((row.form, row.precision) for row in latencies))
    milliseconds = {(row.network, row.form, row.precision): row.milliseconds for row in latencies}
    table = Table(
        [
            Column('config', words=True),
            Column('params', number),
            Column('MAdds', number),
            Column('weights, MB', lambda value: number(value, 2)),
            Column('training, images/s', _tenths),
            Column('training, s', number),
            *(Column(f'{form_name(*form)}, ms', _tenths) for form in forms),
        ]
    )
    for name, config in comparison.configs.items():
        total = config.cost.parts['total']
        training = config.images_per_second, config.train_seconds
        spent = (milliseconds.get((name, *form)) for form in forms)
        table.add_row(name, *total, config.cost.weights_bytes / 1e6, *training, *spent)
    return table


def class_table(comparison: Comparison) -> Table:
    """11-point AP of every class with the first config, and the others' differences.

    Args:
        comparison: The numbers.
    """
    first, others = comparison.first, comparison.others
    differences = [Column(f'difference, {name}', estimate) for name in others]
    table = Table(
        [Column('class', words=True), Column('objects', number), Column(f'AP, {first}', percent), *differences]
    )
    for label, objects in comparison.objects.items():
        own = comparison.configs[first].per_class[label]['11points']
        table.add_row(label, objects, own, *(other.per_class[label]['11points'] for other in others.values()))
    return table


def run_table(comparison: Comparison) -> Table:
    """Every run and where it was made.

    Args:
        comparison: The numbers.
    """
    table = Table(
        [
            Column('config', words=True),
            Column('seed'),
            *(Column(f'mAP {words}', percent) for words in MODES.values()),
            Column('iterations', number),
            Column('images/s', _tenths),
            Column('made on'),
            Column('torch'),
        ]
    )
    for name, config in comparison.configs.items():
        for run in config.runs:
            training = (run.training.iterations, run.training.images_per_second) if run.training else (None, None)
            scores = (run.metrics.mAP[mode] for mode in MODES)
            table.add_row(name, run.seed, *scores, *training, run.environment, run.environment.torch)
    return table


def seed_mean(value: SeedMean) -> str:
    """Write a mean over runs, with their standard deviation if there is more than one."""
    sd = '' if value.sd is None else f' ± {percent(value.sd)}'
    return percent(value.mean) + sd


def estimate(value: Estimate | None) -> str:
    """Write a difference and its interval."""
    if value is None or value.interval is None:
        return UNDEFINED
    low, high = value.interval
    return f'{points(value.mean)} [{points(low)}, {points(high)}]'


def _tenths(value: float | None) -> str:
    return number(value, 1)
