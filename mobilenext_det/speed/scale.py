"""How training scales: with batch size, input size, width, loader workers and processes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import STYLE
from mobilenext_det.errors import UsageError

from .commands import CONFIGS, Settings, Subject, our_command, require
from .report import Quartiles, Report, between, machine, spread, table
from .training import TrainingRun, start_up
from .turns import progress

EPOCH = 16551  # images of VOC2007 and VOC2012 trainval
WIDTHS = {
    0.35: 'ssdlite_mobilenext_w035_voc.py',
    0.5: 'ssdlite_mobilenext_w050_voc.py',
    0.75: 'ssdlite_mobilenext_w075_voc.py',
    1.0: CONFIGS['mobilenext'],
    1.4: 'ssdlite_mobilenext_w140_voc.py',
}
_LABELS = dict(
    batch_size='images of a step',
    size='input size in pixels',
    width='width multiplier',
    workers='loader workers',
    processes='processes',
)
_MEANING = """\
images/s: median over {iterations} iterations, waiting for data included, and the quartiles; MobileNeXt with its \
default settings, each in a run of its own, one after another. MiB: peak resident memory of all processes together \
(what loader workers share with the training process counts in each). epoch: minutes for the {epoch} images of \
VOC07+12 at that speed. Several processes (DDP over gloo, one thread each) share the images of a step and the \
workers."""


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes:
        batch_size: Images of a step, of all processes together.
        size: Side of the network's input in pixels.
        width: Width multiplier of the backbone.
        workers: Loader processes, of all processes together.
        processes: Training processes.
    """

    batch_size: int = 24
    size: int = 320
    width: float = 1.0
    workers: int = 2
    processes: int = 1

    def settings(self, data_root: str) -> Settings:
        """Return what one of its processes is told.

        Raises:
            UsageError: If it cannot be run.
        """
        if self.width not in WIDTHS:
            raise UsageError(f'There is no config of width {self.width}; choose of {", ".join(map(str, WIDTHS))}.')
        require(1, processes=self.processes)
        if self.batch_size % self.processes or self.workers % self.processes:
            raise UsageError(
                f'--processes {self.processes} cannot share {self.batch_size} images and {self.workers} workers evenly.'
            )
        settings = Settings(data_root, self.batch_size // self.processes, self.size, self.workers // self.processes)
        settings.check()
        return settings


@dataclass(frozen=True, kw_only=True)
class ScaleRow(Point):
    """How fast training is at a point: the median and quartiles over iterations; the memory of all its processes."""

    images_per_second: float
    quartiles: Quartiles
    epoch_minutes: float
    peak_mib: float


@dataclass(frozen=True)
class ScaleReport(Report):
    """Speed and memory of every point, by curve; a curve is called after the field of `Point` that changes."""

    curves: dict[str, list[ScaleRow]]
    unit: str
    machine: str
    iterations: int

    @property
    def text(self) -> str:
        """A row a point."""
        rows = table(
            [(name, row) for name, rows in self.curves.items() for row in rows],
            {'curve': lambda of: of[0].replace('_', ' ')},
            {
                'value': lambda of: f'{getattr(of[1], of[0]):g}',
                'images/s': lambda of: f'{of[1].images_per_second:.2f}',
                'quartiles': lambda of: between(of[1].quartiles, 2),
                'MiB': lambda of: f'{of[1].peak_mib:.0f}',
                'epoch': lambda of: f'{of[1].epoch_minutes:.0f}',
            },
        )
        return f'{rows}\n\n{_MEANING.format(iterations=self.iterations, epoch=EPOCH)}\n\nMachine: {self.machine}.'


def measure_scale(
    curves: Mapping[str, Sequence[float]], out: str, data_root: str = 'data/toy', iterations: int = 4
) -> ScaleReport:
    """Train MobileNeXt at every point of the curves, and write `scale.json`, `scale.md` and `scale.png`.

    Args:
        curves: Values by what they are of, as `Point` names it; all else is as in `Point()`.
        out: Folder of the result.
        data_root: Folder that holds VOC2007/.
        iterations: Iterations that are timed at a point.

    Raises:
        UsageError: If a point cannot be run, or a training ends.
    """
    require(1, iterations=iterations)
    points = {name: [_point(name, value) for value in values] for name, values in curves.items()}
    every = list(dict.fromkeys(point for of_curve in points.values() for point in of_curve))
    if not every:
        raise UsageError('There is nothing to measure: give at least one curve a value.')
    for point in every:
        point.settings(data_root)
    where = machine()
    measured = {}
    with progress('Training', len(every)) as advance:
        for point in every:
            measured[point] = _measure(point, data_root, iterations)
            advance()
    rows = {name: [measured[point] for point in of_curve] for name, of_curve in points.items() if of_curve}
    report = ScaleReport(rows, 'images/s', where, iterations)
    report.write(Path(out, 'scale'))
    draw_curves(rows).savefig(Path(out, 'scale.png'))
    return report


def _point(name: str, value: Any) -> Point:
    return replace(Point(), **{name: value})


def _measure(point: Point, data_root: str, iterations: int) -> ScaleRow:
    settings = point.settings(data_root)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        command = our_command(Subject('mobilenext'), settings, folder, WIDTHS[point.width], point.processes)
        name = ', '.join(f'{key} {value}' for key, value in asdict(point).items())
        with closing(TrainingRun(name, command, folder / 'run')) as run:
            before = start_up(settings.workers)
            seconds = run.wait_for(before + iterations)[before : before + iterations]
            memory = run.memory().total
    median, quartiles = spread([point.batch_size / second for second in seconds])
    return ScaleRow(
        **asdict(point),
        images_per_second=median,
        quartiles=quartiles,
        epoch_minutes=EPOCH / median / 60,
        peak_mib=memory,
    )


def draw_curves(curves: Mapping[str, Sequence[ScaleRow]]) -> Figure:
    """Draw speed above and memory below, one column a curve.

    Args:
        curves: What was measured at every point, by curve.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(0.8 + 2.1 * len(curves), 4.2), layout='constrained')
        cells = figure.subplots(2, len(curves), sharey='row', squeeze=False)
        for (name, rows), (speed, memory) in zip(curves.items(), cells.T, strict=True):
            values = [getattr(row, name) for row in rows]
            low, high = zip(*(row.quartiles for row in rows), strict=True)
            speed.fill_between(values, low, high, color=colour_of(0), alpha=0.15, linewidth=0)
            speed.plot(values, [row.images_per_second for row in rows], 'o-', color=colour_of(0), markersize=4)
            memory.plot(values, [row.peak_mib / 1024 for row in rows], 'o-', color=colour_of(1), markersize=4)
            for cell in (speed, memory):
                cell.set_xticks(values, [f'{value:g}' for value in values])
            memory.set_xlabel(_LABELS[name])
        cells[0, 0].set(ylabel='images/s', ylim=(0, None))
        cells[1, 0].set(ylabel='peak memory in GiB', ylim=(0, None))
        figure.align_ylabels()
    return figure
