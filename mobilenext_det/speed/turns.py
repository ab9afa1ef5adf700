"""Taking turns, so that whatever else the machine does slows all that are measured alike; and processes that do."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mobilenext_det.errors import UsageError

from .processes import ProcessGroup, resident_mib

_WORKER = Path(__file__).with_name('worker.py')

Key = TypeVar('Key')
Turn = TypeVar('Turn')
Answer = TypeVar('Answer')


def take_turns(
    subjects: Mapping[Key, Callable[[Turn], Answer]], turns: Sequence[Turn], doing: str = 'Timing'
) -> dict[Key, list[Answer]]:
    """Give every subject its first turn, then every subject its second, and so on.

    Args:
        subjects: What measures one turn, by what is measured.
        turns: What is handed to each of them, turn after turn.
        doing: What stands before the progress bar.

    Returns:
        The answers of each, one a turn.
    """
    answers: dict[Key, list[Answer]] = {key: [] for key in subjects}
    with progress(doing, len(turns) * len(subjects)) as advance:
        for turn in turns:
            for key, measure in subjects.items():
                answers[key].append(measure(turn))
                advance()
    return answers


@contextmanager
def progress(doing: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on the error stream, and hand out what advances it by a step.

    Args:
        doing: What stands before the bar.
        total: How many steps there are.
    """
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.completed} of {task.total}'))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda: bar.advance(task)


@dataclass(frozen=True)
class Job:
    """What a worker is to measure.

    Attributes:
        form: What is timed, which decides on what is imported; `worker.py` knows them.
        given: What `worker.py` opens a subject of this form with.
        threads: How many the process may use.
    """

    form: str
    given: Mapping[str, Any]
    threads: int = 1


class Worker(ProcessGroup):
    """A process of `worker.py`, which opens one subject and times it whenever it is asked to.

    Args:
        job: What it is to open.
        log: File for what it says beside its answers.

    Attributes:
        imports_mib: Resident memory after the imports, before anything was opened.
        opened_mib: Peak resident memory when the subject was open.
    """

    def __init__(self, job: Job, log: Path) -> None:
        self._form, self._given = job.form, job.given
        threads = dict.fromkeys(('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'), str(job.threads))
        command = [sys.executable, str(_WORKER), job.form, str(job.threads)]
        super().__init__(command, log, answers=True, env={**os.environ, **threads})

    def open(self) -> None:
        """Have it open its subject once it has imported what that needs; `wait` tells when it is open."""
        self._answer()
        self.imports_mib = resident_mib(self.pid)
        self._say(self._given)

    def wait(self) -> None:
        """Wait until its subject is open."""
        self._answer()
        self.opened_mib = self.memory().main

    def ask(self, items: Sequence[Any]) -> list[dict[str, float]]:
        """Have items timed.

        Args:
            items: What the subject takes, such as picture files.

        Returns:
            Seconds of each, by what took them.

        Raises:
            UsageError: If something is wrong with one, or the process dies.
        """
        self._say(items)
        return self._answer()

    def _say(self, what: Any) -> None:
        with suppress(BrokenPipeError):  # it is gone, as `_answer` will say
            print(json.dumps(what), file=self._process.stdin, flush=True)

    def _answer(self) -> Any:
        line = self._process.stdout.readline() if self._process.stdout else ''
        if not line:
            code = self._process.wait()
            raise UsageError(f'A process that times {self._form} ended with exit code {code}: {self.last_line()}')
        answer = json.loads(line)
        if 'error' in answer:
            raise UsageError(answer['error'])
        return answer.get('seconds')


@contextmanager
def workers(jobs: Mapping[Key, Job]) -> Iterator[dict[Key, Worker]]:
    """Start a process for every job, with its subject open, and end all of them.

    Args:
        jobs: What they are to open.

    Raises:
        UsageError: If a subject cannot be opened, or a process dies.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        started = {
            key: stack.enter_context(closing(Worker(job, folder / f'{number}.log')))
            for number, (key, job) in enumerate(jobs.items())
        }
        for worker in started.values():
            worker.open()
        with progress('Opening', len(started)) as advance:
            for worker in started.values():
                worker.wait()
                advance()
        yield started
