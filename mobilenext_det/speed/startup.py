"""Start of a training beside stock MMDetection: from the command to the first finished iteration."""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from statistics import median

from .commands import NAMES, STOCK, Settings, Subject, command, require
from .report import Comparison, between, machine, spread, table
from .training import TrainingRun
from .turns import take_turns

_OURS = 'mobilenext'
_TRAINED = (STOCK, _OURS)
_PHASES = dict(
    imports='imports, config', model='runner, model', data='data set, weights', iteration='loaders, first iteration'
)
PACKAGES = (
    *('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mobilenext_det', 'numpy', 'cv2', 'scipy'),
    *('matplotlib', 'pycocotools', 'tensorboard', 'rich'),
)
OTHERS = 'others'
_IMPORT = re.compile(r'^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$', re.MULTILINE)
_MEANING = """\
Seconds, medians of {rounds} starts each, which alternate. times stock: stock's over ours. The phases end when the \
run's log folder appears; when it has written its config, which follows the model; when the first iteration begins; \
when it is logged. The last has the start of the {workers} loader workers in it, and one step of {batch_size} images \
({size}x{size}). MiB: peak resident memory of the training process when the first iteration is logged.

Imports: of one more start each, the first, under `python -X importtime`, which adds to them; a module counts for its \
own package, whoever imports it."""


@dataclass(frozen=True)
class Start:
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


@dataclass(frozen=True)
class StartupReport(Comparison):
    """Seconds of every start, and of the imports by package, each of stock and of ours."""

    starts: dict[str, list[Start]]
    imports: dict[str, dict[str, float]]
    settings: Settings

    @property
    def text(self) -> str:
        """A row a phase, and a row a package."""
        quartiles = [spread([start.seconds for start in self.starts[name]])[1] for name in _TRAINED]
        memory = [max(start.peak_mib for start in self.starts[name]) for name in _TRAINED]
        phases = [
            *(_times(shown, *self.medians(phase)) for phase, shown in _PHASES.items()),
            _times('command to first iteration', *self.medians('seconds')),
            ('quartiles', *(between(own, 2) for own in quartiles), ''),
            ('MiB', *(f'{mib:.0f}' for mib in memory), ''),
        ]
        stock, ours = (self.imports[name] for name in _TRAINED)
        packages = [_times(package, stock[package], ours[package]) for package in stock]
        packages.append(_times('all', sum(stock.values()), sum(ours.values())))
        said = _MEANING.format(rounds=len(self.starts[STOCK]), **asdict(self.settings))
        tables = f'{_side_by_side("start", phases)}\n\n{_side_by_side("imports", packages)}'
        return f'{tables}\n\n{said}\n\nMachine: {self.machine}.'

    def medians(self, key: str) -> list[float]:
        """Return the medians of a field of `Start`, of stock's starts and of ours."""
        return [median(getattr(start, key) for start in self.starts[name]) for name in _TRAINED]


def _times(shown: str, stock: float, ours: float) -> tuple[str, ...]:
    return shown, f'{stock:.2f}', f'{ours:.2f}', f'{stock / ours:.2f}' if min(stock, ours) >= 0.01 else '-'


def _side_by_side(heading: str, rows: Sequence[tuple[str, ...]]) -> str:
    headings = (*(NAMES[name] for name in _TRAINED), 'times stock')
    numbers = {shown: itemgetter(place) for place, shown in enumerate(headings, 1)}
    return table(rows, {heading: itemgetter(0)}, numbers)


def compare_startup(settings: Settings, rounds: int = 3) -> StartupReport:
    """Start stock MMDetection's training and ours in turns, and end each after its first iteration.

    Args:
        settings: What both have in common.
        rounds: Starts of each; one more before is for the imports, and brings the files into memory.

    Raises:
        UsageError: If a setting or the data is of no use, or a training ends.
    """
    settings.check()
    require(1, rounds=rounds)
    where = machine()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        commands = {name: command(Subject(name), settings, folder) for name in _TRAINED}

        def imports_of(name: str) -> Callable[[str], dict[str, float]]:
            return lambda turn: _imports(name, commands[name], folder / f'{name}-{turn}')

        def start_of(name: str) -> Callable[[str], Start]:
            return lambda turn: _start(name, commands[name], folder / f'{name}-{turn}')

        imports = take_turns({name: imports_of(name) for name in _TRAINED}, ['imports'], 'Timing imports')
        turns = [str(number) for number in range(rounds)]
        starts = take_turns({name: start_of(name) for name in _TRAINED}, turns, 'Timing starts')
    return report(starts, {name: own for name, (own,) in imports.items()}, settings, where)


def report(
    starts: dict[str, list[Start]], imports: dict[str, dict[str, float]], settings: Settings, where: str
) -> StartupReport:
    """Put the starts of both, and the seconds of their imports by package, side by side."""
    stock, ours = (median(start.seconds for start in starts[name]) for name in _TRAINED)
    return StartupReport(ours, stock, stock / ours, 's', where, starts, imports, settings)


def _start(name: str, command: Sequence[str], work_dir: Path) -> Start:
    """Start a training, follow it from outside through the files that it writes, and end it."""
    with closing(TrainingRun(name, command, work_dir)) as run:
        run.wait_until(lambda: any(work_dir.glob('*/*.log')))
        imported = time.time()
        run.wait_until(lambda: any(work_dir.glob('*.py')))
        built = time.time()
        iteration, logged = run.first_iteration()
        begun = logged - iteration
        return Start(imported - run.started, built - imported, begun - built, iteration, run.memory().main)


def _imports(name: str, command: Sequence[str], work_dir: Path) -> dict[str, float]:
    python, *arguments = command
    with closing(TrainingRun(name, [python, '-X', 'importtime', *arguments], work_dir)) as run:
        run.first_iteration()
        return import_seconds(run.log.read_text(errors='replace'))


def import_seconds(log: str) -> dict[str, float]:
    """Add up what `python -X importtime` prints, by package.

    Every module counts for its own package, whoever imports it, and without the modules that it imports: the sum is the
    time of all imports.

    Args:
        log: What was printed, among other lines.

    Returns:
        Seconds of each of `PACKAGES`, and of all others together.
    """
    spent = Counter(dict.fromkeys((*PACKAGES, OTHERS), 0))
    for microseconds, module in _IMPORT.findall(log):
        package = module.partition('.')[0]
        spent[package if package in PACKAGES else OTHERS] += int(microseconds)
    return {package: spent[package] / 1e6 for package in spent}
