"""Start of a training beside stock MMDetection: from the command to the first finished iteration."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from mobilenext_det.display.tables import markdown_table, render

from .commands import NAMES, STOCK, Settings, our_command, require, stock_command
from .import_times import import_seconds
from .report import Report, machine, quartiles, steps
from .training_run import TrainingRun

_OURS = 'mobilenext'
_TRAINED = (STOCK, _OURS)
_MEANING = """\
Seconds, medians of {rounds} starts each, which alternate. times stock: stock's over ours. The phases end when the \
run's log folder appears; when it has written its config, which follows the model; when the first iteration begins; \
when it is logged. The last has the start of the {workers} loader workers in it, and one step of {batch_size} images \
({size}x{size}). MiB: peak resident memory of the training process when the first iteration is logged.

Imports: of one more start each, the first, under `python -X importtime`, which adds to them; a module counts for its \
own package, whoever imports it."""


class Start(NamedTuple):
    """Seconds of one start, phase after phase.

    Attributes:
        imports: Imports and reading the config.
        model: The runner with the model.
        data: The data set, and the model's initialisation.
        iteration: The first iteration, with the start of the loaders.
        peak_mib: Peak resident memory.
    """

    imports: float
    model: float
    data: float
    iteration: float
    peak_mib: float

    @property
    def seconds(self) -> float:
        """From the command to the end of the first iteration."""
        return self.imports + self.model + self.data + self.iteration


_PHASES = dict(
    imports='imports, config', model='runner, model', data='data set, weights', iteration='loaders, first iteration'
)


def compare_startup(settings: Settings, rounds: int = 3) -> Report:
    """Start stock MMDetection's training and ours in turns, and end each after its first iteration.

    Args:
        settings: What both have in common.
        rounds: Starts of each; one more before is for the imports, and brings the files into memory.

    Returns:
        Seconds.

    Raises:
        UsageError: If a setting or the data is of no use, or a training ends.
    """
    settings.check()
    require(1, rounds=rounds)
    where = machine()
    starts: dict[str, list[Start]] = {name: [] for name in _TRAINED}
    imports = {}
    with tempfile.TemporaryDirectory() as temporary, steps() as progress:
        folder = Path(temporary)
        commands = {STOCK: stock_command(settings, folder), _OURS: our_command(_OURS, settings, folder)}
        task = progress.add_task('Starting', total=len(commands) * (1 + rounds))
        for name, command in commands.items():
            imports[name] = _imports(name, command, folder / f'{name}-imports')
            progress.advance(task)
        for number in range(rounds):
            for name, command in commands.items():
                starts[name].append(_start(name, command, folder / f'{name}-{number}'))
                progress.advance(task)
    return report(starts, imports, settings, where)


def report(
    starts: Mapping[str, Sequence[Start]], imports: Mapping[str, dict[str, float]], settings: Settings, where: str
) -> Report:
    """Put both side by side.

    Args:
        starts: What was measured of stock and of ours.
        imports: Seconds of their imports, by package.
        settings: What both have in common.
        where: The machine.
    """
    ours, stock = (median(start.seconds for start in starts[name]) for name in (_OURS, STOCK))
    said = _MEANING.format(rounds=len(starts[STOCK]), **settings._asdict())
    rows = {name: [start._asdict() for start in own] for name, own in starts.items()}
    numbers = dict(ours=ours, stock=stock, ratio=stock / ours, unit='s', starts=rows, imports=imports, machine=where)
    return Report(f'{_phases(starts)}\n\n{_packages(imports)}\n\n{said}\n\nMachine: {where}.', numbers)


def _start(name: str, command: Sequence[str], work_dir: Path) -> Start:
    """Start a training, follow it from outside through the files that it writes, and end it."""
    with closing(TrainingRun(name, command, work_dir)) as run:
        run.wait_until(lambda: any(work_dir.glob('*/*.log')))
        imported = time.time()
        run.wait_until(lambda: any(work_dir.glob('*.py')))
        built = time.time()
        (iteration,) = run.wait_for(1)[:1]
        begun = run.scalars().stat().st_mtime - iteration
        return Start(imported - run.started, built - imported, begun - built, iteration, run.memory().main)


def _imports(name: str, command: Sequence[str], work_dir: Path) -> dict[str, float]:
    python, *arguments = command
    with closing(TrainingRun(name, [python, '-X', 'importtime', *arguments], work_dir)) as run:
        run.wait_for(1)
        return import_seconds(run.log.read_text(errors='replace'))


def _phases(timed: Mapping[str, Sequence[Start]]) -> str:
    table = markdown_table(['start'], [*(NAMES[name] for name in _TRAINED), 'times stock'])
    for phase, shown in _PHASES.items():
        _add(table, shown, [median(getattr(start, phase) for start in timed[name]) for name in _TRAINED])
    _add(table, 'command to first iteration', [median(start.seconds for start in timed[name]) for name in _TRAINED])
    spread = [quartiles([start.seconds for start in timed[name]]) for name in _TRAINED]
    table.add_row('quartiles', *(f'{low:.2f} - {high:.2f}' for low, _, high in spread), '')
    table.add_row('MiB', *(f'{max(start.peak_mib for start in timed[name]):.0f}' for name in _TRAINED), '')
    return render(table)


def _packages(imports: Mapping[str, dict[str, float]]) -> str:
    table = markdown_table(['imports'], [*(NAMES[name] for name in _TRAINED), 'times stock'])
    for package in imports[STOCK]:
        _add(table, package, [imports[name][package] for name in _TRAINED])
    _add(table, 'all', [sum(imports[name].values()) for name in _TRAINED])
    return render(table)


def _add(table: Any, shown: str, seconds: Sequence[float]) -> None:
    stock, ours = seconds
    table.add_row(shown, f'{stock:.2f}', f'{ours:.2f}', f'{stock / ours:.2f}' if min(stock, ours) >= 0.01 else '-')
