"""A training command that is followed through its own log."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mobilenext_det.errors import UsageError

from .process_group import ProcessGroup

_POLL_SECONDS = 0.02
_PREFETCH = 2  # batches that torch's loader has each worker fetch ahead


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
