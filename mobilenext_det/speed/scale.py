"""How training scales: with batch size, input size, width, loader workers and processes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from mobilenext_det.display.tables import markdown_table, render
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .commands import CONFIGS, Settings, our_command, require
from .report import Report, machine, quartiles, steps
from .scale_chart import draw_curves
from .training_run import TrainingRun, start_up

EPOCH = 16551  # images of VOC2007 and VOC2012 trainval
WIDTHS = {
    0.35: 'ssdlite_mobilenext_w035_voc.py',
    0.5: 'ssdlite_mobilenext_w050_voc.py',
    0.75: 'ssdlite_mobilenext_w075_voc.py',
    1.0: CONFIGS['mobilenext'],
    1.4: 'ssdlite_mobilenext_w140_voc.py',
}
_MEANING = """\
images/s: median over {iterations} iterations, waiting for data included, and the quartiles; MobileNeXt with its \
default settings, each in a run of its own, one after another. MiB: peak resident memory of all processes together \
(what loader workers share with the training process counts in each). epoch: minutes for the {epoch} images of \
VOC07+12 at that speed. Several processes (DDP over gloo, one thread each) share the images of a step and the \
workers."""


class Point(NamedTuple):
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


def measure_scale(
    curves: Mapping[str, Sequence[float]], out: str, data_root: str = 'data/toy', iterations: int = 4
) -> Report:
    """Train MobileNeXt at every point of the curves, and write `scale.json`, `scale.md` and `scale.png`.

    Args:
        curves: Values by what they are of, as `Point` names it; all else is as in `Point()`.
        out: Folder of the result.
        data_root: Folder that holds VOC2007/.
        iterations: Iterations that are timed at a point.

    Returns:
        Images per second of every point, by curve.

    Raises:
        UsageError: If a point cannot be run, or a training ends.
    """
    require(1, iterations=iterations)
    points = {name: [Point()._replace(**{name: value}) for value in values] for name, values in curves.items()}
    every = list(dict.fromkeys(point for of_curve in points.values() for point in of_curve))
    if not every:
        raise UsageError('There is nothing to measure: give at least one curve a value.')
    for point in every:
        point.settings(data_root)
    Path(out).mkdir(parents=True, exist_ok=True)
    where = machine()
    measured = {}
    with steps() as progress:
        task = progress.add_task('Training', total=len(every))
        for point in every:
            measured[point] = _measure(point, data_root, iterations)
            progress.advance(task)
    rows = {name: [measured[point] for point in of_curve] for name, of_curve in points.items() if of_curve}
    text = f'{_table(rows)}\n\n{_MEANING.format(iterations=iterations, epoch=EPOCH)}\n\nMachine: {where}.'
    numbers = dict(curves=rows, unit='images/s', machine=where)
    write_atomically(f'{json.dumps(numbers, indent=1, allow_nan=False)}\n'.encode(), Path(out, 'scale.json'))
    write_atomically(f'{text}\n'.encode(), Path(out, 'scale.md'))
    draw_curves(rows).savefig(Path(out, 'scale.png'))
    return Report(text, numbers)


def _measure(point: Point, data_root: str, iterations: int) -> dict[str, Any]:
    settings = point.settings(data_root)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        command = our_command('mobilenext', settings, folder, WIDTHS[point.width], point.processes)
        name = ', '.join(f'{key} {value}' for key, value in point._asdict().items())
        with closing(TrainingRun(name, command, folder / 'run')) as run:
            before = start_up(settings.workers)
            seconds = run.wait_for(before + iterations)[before : before + iterations]
            memory = run.memory().total
    low, middle, high = quartiles([point.batch_size / second for second in seconds])
    speed = dict(images_per_second=middle, quartiles=[low, high], epoch_minutes=EPOCH / middle / 60)
    return point._asdict() | speed | dict(peak_mib=memory)


def _table(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    table = markdown_table(['curve'], ['value', 'images/s', 'quartiles', 'MiB', 'epoch'])
    for name, of_curve in rows.items():
        for row in of_curve:
            low, high = row['quartiles']
            table.add_row(
                name.replace('_', ' '),
                f'{row[name]:g}',
                f'{row["images_per_second"]:.2f}',
                f'{low:.2f} - {high:.2f}',
                f'{row["peak_mib"]:.0f}',
                f'{row["epoch_minutes"]:.0f}',
            )
    return render(table)
