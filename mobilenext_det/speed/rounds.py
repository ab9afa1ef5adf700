"""Processes that take turns at being timed, so that whatever else the machine does slows all of them alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mobilenext_det.errors import UsageError

_WORKER = Path(__file__).with_name('worker.py')
_PICTURES, _WARM_UP = 10, 5  # a round, and before the first one


class Timing(NamedTuple):
    """What one process measured.

    Attributes:
        network: (n,) seconds of the network call on each picture.
        file: (n,) seconds from each picture's file to its boxes.
        peak_mib: Its largest resident memory; None where it is not known.
        imports_mib: What of this it had before it opened the detector.
    """

    network: np.ndarray
    file: np.ndarray
    peak_mib: float | None
    imports_mib: float | None


def take_turns(jobs: Sequence[dict], files: Sequence[str], advance: Callable[[], None]) -> list[Timing]:
    """Time every job in a process of its own, all on the same pictures, a few pictures at a time and one after another.

    Args:
        jobs: What `worker.py` takes; `threads` is how many the process may use.
        files: Picture files.
        advance: Called for each process that has opened its detector, and after each round.

    Raises:
        UsageError: If a detector cannot be opened or a process dies.
    """
    rounds = [list(files[start : start + _PICTURES]) for start in range(0, len(files), _PICTURES)]
    with ExitStack() as stack:
        workers = [stack.enter_context(closing(Worker(job))) for job in jobs]
        imports = []
        for worker in workers:
            imports.append(worker.answer()['imports_mib'])
            advance()
        for worker in workers:
            worker.ask(files[:_WARM_UP])
        measured = []
        for pictures in rounds:
            measured.append([worker.ask(pictures) for worker in workers])
            advance()
        peaks = [worker.finish()['peak_mib'] for worker in workers]
    seconds = [
        [np.concatenate([answer[what] for answer in answers]) for what in ('network', 'file')]
        for answers in zip(*measured, strict=True)
    ]
    return [Timing(*of_job, *memory) for of_job, *memory in zip(seconds, peaks, imports, strict=True)]


def count_steps(jobs: Sequence[dict], files: Sequence[str]) -> int:
    """Count how often `take_turns` will call `advance`."""
    return len(jobs) + -(-len(files) // _PICTURES)


class Worker:
    """A process of `worker.py`.

    Args:
        job: What it is to open.
    """

    def __init__(self, job: dict) -> None:
        self._job = job
        threads = dict.fromkeys(('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'), str(job['threads']))
        self._log = tempfile.TemporaryFile('w+')  # noqa: SIM115, closed with the process
        self._process = subprocess.Popen(
            [sys.executable, str(_WORKER), json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, **threads},
        )

    def close(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        self._log.close()

    def ask(self, files: Sequence[str]) -> dict[str, Any]:
        """Have a round of pictures timed."""
        with suppress(BrokenPipeError):  # it is gone, as `answer` will say
            print(json.dumps(files), file=self._process.stdin, flush=True)
        return self.answer()

    def finish(self) -> dict[str, Any]:
        """Tell it that there are no more pictures, and return its last answer."""
        self._process.stdin.close()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """Wait for an answer.

        Raises:
            UsageError: If there is none, or it says what is wrong.
        """
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {'error': self._last_words()}
        if 'error' in answer:
            what = self._job.get('path') or self._job.get('config') or 'stock MMDetection'
            raise UsageError(f'{what}, {self._job["form"]}, cannot be timed: {answer["error"]}')
        return answer

    def _last_words(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log if line.strip()]
        return f'its process ended with exit code {code} and {lines[-1] if lines else "without a word"}'
