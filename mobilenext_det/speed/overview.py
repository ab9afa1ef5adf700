"""Every benchmark beside stock MMDetection, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from .commands import NAMES, STOCK, Settings
from .forms import FORM_NAMES
from .pipeline import OURS, PipelineReport, compare_pipeline
from .prediction import PredictionReport, compare_prediction
from .report import Comparison, table
from .startup import StartupReport, compare_startup
from .training import TrainingReport, compare_training

_MEANING = """\
ratio: how many times as fast as stock MMDetection, and in the rows of latency how many times as long MobileNeXt takes \
as MobileNetV2 (expansion), which stands in the column of stock there. MiB: peak resident memory of ours and of stock, \
all processes together."""

_WHAT = dict(pipeline='input pipeline, one core', startup='start, command to first iteration')


@dataclass(frozen=True)
class Row:
    """One line of the table: a speed or time of ours beside stock's; `form` and `precision` where these differ."""

    benchmark: str
    network: str
    form: str | None
    precision: str | None
    ours: float
    stock: float
    unit: str
    ratio: float
    ours_mib: float | None
    stock_mib: float | None

    @property
    def what(self) -> str:
        """What was timed, in words."""
        form = self.form and FORM_NAMES[self.form]
        return ', '.join(
            filter(None, (_WHAT.get(self.benchmark, self.benchmark), NAMES[self.network], form, self.precision))
        )


@dataclass(frozen=True)
class Overview(Comparison):
    """All of it; `ours` is the training of MobileNeXt."""

    rows: list[Row]

    @property
    def text(self) -> str:
        """A row a speed."""
        rows = table(
            self.rows,
            {'what': lambda row: row.what},
            {
                'ours': lambda row: f'{row.ours:.2f}',
                'stock': lambda row: f'{row.stock:.2f}',
                'unit': lambda row: row.unit,
                'ratio': lambda row: f'{row.ratio:.2f}',
                'MiB, ours': lambda row: _mib(row.ours_mib),
                'MiB, stock': lambda row: _mib(row.stock_mib),
            },
        )
        return f'{rows}\n\n{_MEANING}\n\nMachine: {self.machine}.'


def _mib(mib: float | None) -> str:
    return '-' if mib is None else f'{mib:.0f}'


def compare_all(data_root: str = 'data/toy') -> Overview:
    """Run every benchmark with its defaults.

    Args:
        data_root: Folder that holds VOC2007/.

    Raises:
        UsageError: If the data or a package is missing, or a training ends.
    """
    return overview(
        compare_training(Settings(data_root)),
        compare_prediction(data_root),
        compare_pipeline(data_root),
        compare_startup(Settings(data_root, batch_size=2)),
    )


def overview(
    training: TrainingReport, prediction: PredictionReport, pipeline: PipelineReport, startup: StartupReport
) -> Overview:
    """Put the results of all benchmarks into one table."""
    rows = [*_training(training), *_prediction(prediction), _pipeline(pipeline), _startup(startup)]
    rows += _latency(prediction)
    return Overview(training.ours, training.stock, training.ratio, training.unit, training.machine, rows)


def _training(report: TrainingReport) -> list[Row]:
    rows = []
    for row in report.rows:
        if row.network == STOCK:
            stock = row
        else:
            speeds = (row.images_per_second, stock.images_per_second, report.unit, row.ratio)
            memory = (row.peak_mib.total, stock.peak_mib.total)
            rows.append(Row('training', row.network, None, row.precision, *speeds, *memory))
    return rows


def _prediction(report: PredictionReport) -> list[Row]:
    stock, *others = report.rows
    rows = []
    for row in others:
        if row.network == 'mobilenext':
            spent = (row.ms, stock.ms, report.unit, row.ratio, row.peak_mib, stock.peak_mib)
            rows.append(Row('prediction', row.network, row.form, row.precision, *spent))
    return rows


def _latency(report: PredictionReport) -> list[Row]:
    by_key = {(row.network, row.form, row.precision): row for row in report.rows}
    rows = []
    for precision, ratio in report.deployed.items():
        ours, other = (by_key[network, 'onnx', precision] for network in ('mobilenext', 'mobilenetv2'))
        spent = (ours.network_ms, other.network_ms, report.unit, ratio)
        rows.append(Row('latency', ours.network, ours.form, precision, *spent, ours.peak_mib, other.peak_mib))
    return rows


def _pipeline(report: PipelineReport) -> Row:
    memory = (report.rows[name].peak_mib for name in (OURS, STOCK))
    return Row('pipeline', 'mobilenext', None, None, report.ours, report.stock, report.unit, report.ratio, *memory)


def _startup(report: StartupReport) -> Row:
    memory = (max(start.peak_mib for start in report.starts[name]) for name in ('mobilenext', STOCK))
    return Row('startup', 'mobilenext', None, None, report.ours, report.stock, report.unit, report.ratio, *memory)
