"""Making runs in processes of their own, with a bar of progress."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mobilenext_det.display.tables import percent
from mobilenext_det.errors import UsageError

from .job import Job
from .run_record import read_run

_POLL_SECONDS = 1.0


def make_runs(jobs: Sequence[Job]) -> None:
    """Make the runs that are not there yet, one after another, each in a process of its own.

    Args:
        jobs: All runs.

    Raises:
        UsageError: If one fails.
    """
    missing = [job for job in jobs if not job.path.exists()]
    done = len(jobs) - len(missing)
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed:.2f} of {task.total} runs'),
        TimeElapsedColumn(),
        TextColumn('left:'),
        TimeRemainingColumn(),
    )
    # Runs are long and of even speed: the time left is estimated from all of the last hour.
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=3600) as progress:
        task = progress.add_task('', total=len(jobs), completed=done)
        if done:
            progress.console.print(f'{done} of {len(jobs)} runs are finished already.', highlight=False)
        for number, job in enumerate(missing, done):
            progress.update(task, description=f'{job.name}, seed {job.seed}')
            started = time.monotonic()
            for share in _progress_of(job):
                progress.update(task, completed=number + share)
            score = read_run(job.path).metrics.mAP['11points']
            progress.console.print(
                f'{job.name}, seed {job.seed}: mAP (11 points) {percent(score)}, {time.monotonic() - started:.0f} s',
                highlight=False,
            )


def _progress_of(job: Job) -> Iterator[float]:
    """Make a run, and yield now and then which share of it is done.

    Raises:
        UsageError: If it fails.
    """
    log = Path(f'{job.work_dir}.log')
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open('a') as file, _start(job, file) as process:
        try:
            while process.poll() is None:
                yield _last_step(job.work_dir) / job.iterations if job.iterations else 0.0
                _wait(process)
        finally:
            process.kill()
    if process.returncode or not job.path.exists():
        raise UsageError(
            f'{job.name} with seed {job.seed} failed (exit code {process.returncode}); {log} ends with: '
            f'{_last_line(log)}'
        )
    yield 1.0


def _start(job: Job, log: IO[str]) -> subprocess.Popen:
    """Start a run, whose standard input closes when this process ends, however it ends."""
    command = [sys.executable, '-m', 'mobilenext_det.comparison.single_run', json.dumps(job._asdict())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT)


def _wait(process: subprocess.Popen) -> None:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _last_step(work_dir: Path) -> int:
    """The iteration that the newest log of a training ends with."""
    logs = sorted(work_dir.glob('*/vis_data/scalars.json'))
    steps = re.findall(r'"step": (\d+)', logs[-1].read_text()) if logs else []
    return int(steps[-1]) if steps else 0


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text().splitlines() if line.strip()]
    return lines[-1] if lines else 'nothing'
