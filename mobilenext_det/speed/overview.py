"""All benchmarks beside stock MMDetection, and what this package sets out to reach."""

from __future__ import annotations

from typing import Any, NamedTuple

from mobilenext_det.display.tables import markdown_table, render

from .commands import NAMES, STOCK, Settings
from .pipeline import compare_pipeline
from .prediction import compare_prediction
from .report import Report
from .startup import compare_startup
from .training import compare_training

_TRAINING_TARGETS = {'mobilenetv2': 3.0, 'mobilenext': 2.5, 'mobilenetv2-fp32': 1.4, 'mobilenext-fp32': 1.4}
_PREDICTION_TARGETS = {('pytorch', 'fp32'): 1.7, ('onnx', 'fp32'): 3.5, ('onnx', 'int8'): 5.0}
_PIPELINE_TARGET, _STARTUP_TARGET, _DEPLOYED_TARGET = 2.0, 1.0, 1.05
_MEANING = """\
ratio: how many times as fast as stock MMDetection, and in the last two rows how many times as long MobileNeXt takes \
as MobileNetV2 (expansion), which stands in the column of stock there. MiB: peak resident memory of ours and of stock, \
all processes together."""


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        what: What was timed.
        ours: Its speed or time.
        stock: That of stock.
        unit: Of both.
        ratio: How many times as fast as stock.
        target: What it is to be: `>=` or `<=` and a number.
        ours_mib: Peak resident memory of ours.
        stock_mib: That of stock.
    """

    what: str
    ours: float
    stock: float
    unit: str
    ratio: float
    target: str
    ours_mib: float
    stock_mib: float


def compare_all(data_root: str = 'data/toy') -> Report:
    """Run every benchmark with its defaults.

    Args:
        data_root: Folder that holds VOC2007/.

    Returns:
        A line for each target; the headline is the training of MobileNeXt.

    Raises:
        UsageError: If the data or a package is missing, or a training ends.
    """
    return overview(
        compare_training(Settings(data_root)),
        compare_prediction(data_root),
        compare_pipeline(data_root),
        compare_startup(Settings(data_root, batch_size=2)),
    )


def overview(training: Report, prediction: Report, pipeline: Report, startup: Report) -> Report:
    """Put the results of all benchmarks into one table.

    Args:
        training: Of all subjects.
        prediction: Of both networks in all forms.
        pipeline: Of the input pipeline.
        startup: Of the start.
    """
    rows = _training(training.numbers['rows']) + _prediction(prediction.numbers['rows'])
    rows += _pipeline(pipeline.numbers) + _startup(startup.numbers)
    rows.sort(key=lambda row: row.target.startswith('<='))
    table = markdown_table(['what'], ['ours', 'stock', 'unit', 'ratio', 'target', 'MiB, ours', 'MiB, stock'])
    for row in rows:
        speeds = (f'{row.ours:.2f}', f'{row.stock:.2f}', row.unit, f'{row.ratio:.2f}')
        table.add_row(row.what, *speeds, row.target, f'{row.ours_mib:.0f}', f'{row.stock_mib:.0f}')
    headline = next(row for row in rows if row.what == _training_name('mobilenext'))
    numbers = dict(ours=headline.ours, stock=headline.stock, ratio=headline.ratio, unit=headline.unit)
    where = training.numbers['machine']
    numbers |= dict(rows=[row._asdict() for row in rows], machine=where)
    return Report(f'{render(table)}\n\n{_MEANING}\n\nMachine: {where}.', numbers)


def _training(rows: list[dict[str, Any]]) -> list[Row]:
    found = []
    for row in rows:
        mib = sum(row['peak_mib'].values())
        if row['name'] == STOCK:
            stock, stock_mib = row['images_per_second'], mib
        else:
            speeds = (row['images_per_second'], stock, 'images/s', row['ratio'])
            target = f'>= {_TRAINING_TARGETS[row["name"]]}'
            found.append(Row(_training_name(row['name']), *speeds, target, mib, stock_mib))
    return found


def _training_name(name: str) -> str:
    network, _, numbers = name.partition('-')
    return f'training, {NAMES[network]}, {numbers or "default"}'


def _prediction(rows: list[dict[str, Any]]) -> list[Row]:
    by_key = {(row['network'], row['form'], row['precision']): row for row in rows}
    stock = rows[0]
    found = []
    for (form, precision), target in _PREDICTION_TARGETS.items():
        ours, other = (by_key[network, form, precision] for network in ('mobilenext', 'mobilenetv2'))
        what = f'{NAMES["mobilenext"]}, {form}, {precision}'
        memory = (ours['peak_mib'], stock['peak_mib'])
        found.append(Row(f'prediction, {what}', ours['ms'], stock['ms'], 'ms', ours['ratio'], f'>= {target}', *memory))
        if form == 'onnx':
            latencies = (ours['network_ms'], other['network_ms'])
            memory = (ours['peak_mib'], other['peak_mib'])
            ratio = latencies[0] / latencies[1]
            found.append(Row(f'latency, {what}', *latencies, 'ms', ratio, f'<= {_DEPLOYED_TARGET}', *memory))
    return found


def _pipeline(numbers: dict[str, Any]) -> list[Row]:
    ours, stock = (numbers['rows'][name]['peak_mib'] for name in ('ours', STOCK))
    speeds = (numbers['ours'], numbers['stock'], 'images/s', numbers['ratio'])
    return [Row('input pipeline, one core', *speeds, f'>= {_PIPELINE_TARGET}', ours, stock)]


def _startup(numbers: dict[str, Any]) -> list[Row]:
    memory = (max(start['peak_mib'] for start in numbers['starts'][name]) for name in ('mobilenext', STOCK))
    speeds = (numbers['ours'], numbers['stock'], 's', numbers['ratio'])
    return [Row('start, command to first iteration', *speeds, f'>= {_STARTUP_TARGET}', *memory)]
