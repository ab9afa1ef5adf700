"""Training beside stock MMDetection: real commands that take turns, each followed through its own log."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

from mobilenext_det.errors import UsageError

from .commands import NAMES, STOCK, SUBJECTS, Settings, Subject, command, require
from .processes import Memory, ProcessGroup
from .report import Comparison, Quartiles, between, machine, spread, table
from .turns import progress, take_turns

_POLL_SECONDS = 0.02
_PREFETCH = 2  # batches that torch's loader has each worker fetch ahead
_TOGETHER = 2  # of ours beside stock: each holds 4 to 7 GB at batch 24 and 320 pixels
_MEANING = """\
images/s: median over {count} iterations each, waiting for data included, and the quartiles. times stock: ratio of the \
medians to the stock above. MiB: peak resident memory of the training process, and of its loader workers together \
(what they share with it counts in each). {batch_size} images a step, {size}x{size}, {workers} workers; \
`tools/train.py` of each, from scratch, which take turns of {iterations} iterations: while one runs the others are \
stopped."""


@dataclass(frozen=True)
class Measured:
    """What was measured of one subject: the seconds of each iteration, and what its processes needed."""

    seconds: list[float]
    memory: Memory


@dataclass(frozen=True)
class TrainingRow:
    """How fast one subject trains: the median and quartiles over iterations; `ratio` to the stock of the same turns."""

    network: str
    precision: str
    images_per_second: float
    quartiles: Quartiles
    ratio: float
    peak_mib: Memory
    seconds: list[float]


@dataclass(frozen=True)
class TrainingReport(Comparison):
    """Images per second of training; `ours` is MobileNeXt's if it is among the rows, and the first one's if not."""

    rows: list[TrainingRow]
    settings: Settings
    iterations: int

    @property
    def text(self) -> str:
        """A row a subject."""
        count = len(self.rows[0].seconds)
        said = _MEANING.format(count=count, iterations=self.iterations, **asdict(self.settings))
        rows = table(
            self.rows,
            {'training': lambda row: NAMES[row.network], 'numbers': lambda row: row.precision},
            {
                'images/s': lambda row: f'{row.images_per_second:.2f}',
                'quartiles': lambda row: between(row.quartiles, 2),
                'times stock': lambda row: f'{row.ratio:.2f}',
                'MiB': lambda row: f'{row.peak_mib.main:.0f}',
                'MiB, workers': lambda row: f'{row.peak_mib.others:.0f}',
            },
        )
        return f'{rows}\n\n{said}\n\nMachine: {self.machine}.'


def compare_training(
    settings: Settings, subjects: Sequence[Subject] = SUBJECTS, rounds: int = 3, iterations: int = 4
) -> TrainingReport:
    """Train stock MMDetection's SSDLite and ours in turns, two of ours at a time.

    Args:
        settings: What all have in common.
        subjects: What of ours.
        rounds: Turns of each.
        iterations: Iterations that are timed in a turn.

    Raises:
        UsageError: If a setting or the data is of no use, or a training ends.
    """
    settings.check()
    require(1, rounds=rounds, iterations=iterations)
    where = machine()
    measured = []
    for first in range(0, len(subjects), _TOGETHER):
        with tempfile.TemporaryDirectory() as temporary:
            group = (Subject(STOCK), *subjects[first : first + _TOGETHER])
            folder = Path(temporary)
            commands = {subject: command(subject, settings, folder) for subject in group}
            measured.append(measure(commands, folder, settings.workers, rounds, iterations))
    return report(measured, settings, iterations, where)


def report(
    measured: Sequence[Mapping[Subject, Measured]], settings: Settings, iterations: int, where: str
) -> TrainingReport:
    """Turn seconds into speeds beside stock, in groups that took turns: stock, and at least one of ours."""
    rows = [row for group in measured for row in _rows(group, settings.batch_size)]
    first = next((row for row in rows if (row.network, row.precision) == ('mobilenext', 'default')), rows[1])
    ours, ratio = first.images_per_second, first.ratio
    return TrainingReport(ours, ours / ratio, ratio, 'images/s', where, rows, settings, iterations)


def _rows(measured: Mapping[Subject, Measured], batch_size: int) -> list[TrainingRow]:
    """Turn seconds into speeds beside that of stock, which is the first."""
    rows: list[TrainingRow] = []
    for subject, own in measured.items():
        median, quartiles = spread([batch_size / second for second in own.seconds])
        ratio = median / rows[0].images_per_second if rows else 1.0
        names = (subject.network, subject.precision)
        rows.append(TrainingRow(*names, median, quartiles, ratio, own.memory, own.seconds))
    return rows


def measure(
    commands: Mapping[Subject, Sequence[str]], folder: Path, loader_workers: int, rounds: int, iterations: int
) -> dict[Subject, Measured]:
    """Start one after another until its loaders are in step with it, then give each its turn, again and again.

    Args:
        commands: The trainings.
        folder: For their work dirs.
        loader_workers: Of each.
        rounds: Turns of each.
        iterations: Iterations that are timed in a turn.

    Raises:
        UsageError: If one ends; none is left then.
    """
    with ExitStack() as stack:
        runs = {}
        with progress('Starting', len(commands)) as advance:
            for subject, command in commands.items():
                run = stack.enter_context(closing(TrainingRun(str(subject), command, folder / str(subject))))
                run.wait_for(start_up(loader_workers))
                run.pause()
                runs[subject] = run
                advance()
        seconds = take_turns({subject: run.take_turn for subject, run in runs.items()}, [iterations] * rounds)
        return {subject: Measured(sum(seconds[subject], []), run.memory()) for subject, run in runs.items()}


class TrainingRun(ProcessGroup):
    """A training whose log has a line for every iteration.

    Args:
        name: What it is called in a sentence about it.
        command: The command, without its work dir.
        work_dir: Its work dir.
    """

    def __init__(self, name: str, command: Sequence[str], work_dir: Path) -> None:
        self.name = name
        self.work_dir = work_dir
        work_dir.mkdir(parents=True)
        super().__init__([*command, '--work-dir', str(work_dir)], work_dir / 'output.log')

    def wait_for(self, iterations: int) -> list[float]:
        """Wait until so many iterations are logged, and return the seconds of all that are.

        Args:
            iterations: How many, counted from the start.

        Raises:
            UsageError: If it ends before.
        """
        self.wait_until(lambda: len(iteration_seconds(self.scalars())) >= iterations)
        return iteration_seconds(self.scalars())

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait until it has got to some point.

        Args:
            reached: Tells whether it has.

        Raises:
            UsageError: If it ends before.
        """
        while not reached():
            if (code := self.poll()) is not None:
                raise UsageError(f'{self.name} ended with exit code {code} in its training: {self.last_line()}')
            time.sleep(_POLL_SECONDS)

    def scalars(self) -> Path | None:
        """Return the file that has the numbers of every iteration; None before the first."""
        return next(self.work_dir.glob('*/vis_data/scalars.json'), None)

    def first_iteration(self) -> tuple[float, float]:
        """Wait for the first iteration, and return its seconds and when it was logged, as `time.time()`.

        Raises:
            UsageError: If it ends before.
        """
        seconds, *_ = self.wait_for(1)
        scalars = self.scalars()
        assert scalars is not None  # as an iteration is logged
        return seconds, scalars.stat().st_mtime

    def take_turn(self, iterations: int) -> list[float]:
        """Go on from a pause, time some iterations, and pause again.

        The one that was under way at the pause does not count. All processes of the run were stopped, so the loaders
        have not got ahead.

        Args:
            iterations: How many to time.

        Returns:
            Seconds of each.

        Raises:
            UsageError: If it ends.
        """
        before = len(iteration_seconds(self.scalars()))
        self.resume()
        seconds = self.wait_for(before + 1 + iterations)
        self.pause()
        return seconds[before + 1 : before + 1 + iterations]


def iteration_seconds(scalars: Path | None) -> list[float]:
    """Read the seconds of every training iteration, waiting for data included.

    Args:
        scalars: mmengine's `vis_data/scalars.json`, which may be in the making.
    """
    if scalars is None:
        return []
    *lines, _ = scalars.read_text().split('\n')  # what follows the last line break is not whole yet
    entries = map(json.loads, lines)
    return [entry['time'] for entry in entries if 'loss' in entry]


def start_up(workers: int) -> int:
    """Count the iterations that do not show the usual speed: the first, and those of batches fetched meanwhile.

    Args:
        workers: Loader processes.
    """
    return 1 + _PREFETCH * workers
