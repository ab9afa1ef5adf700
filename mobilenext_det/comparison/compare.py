"""Comparing configs over seeds: what `tools/compare.py` calls."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO

from mmengine.runner import find_latest_checkpoint
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.display.tables import percent
from mobilenext_det.engine.config import load_config, require_data
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically
from mobilenext_det.speed.forms import Trained
from mobilenext_det.speed.latency import Latencies, Latency, measure_latency

from .identity import identify
from .intervals import compare_runs
from .job import Job
from .report import print_tables, write_report
from .results import Comparison
from .run_record import Run, read_run, require_same

LATENCY_FILE = 'latency.json'
_POLL_SECONDS = 1.0


def compare(
    configs: Sequence[str],
    out: str,
    *,
    seeds: int = 3,
    data_root: str | None = None,
    amp: bool = False,
    cfg_options: Sequence[str] = (),
    latency: bool = False,
    report_only: bool = False,
) -> Comparison:
    """Make the runs that are missing, then the report of all runs.

    Args:
        configs: Config files, each with `=CHECKPOINT,CHECKPOINT...` behind it if it is not to be trained. The first one
            is what the others are compared with.
        out: Folder of the comparison: finished runs in `runs`, what training needs in `work`, and the report.
        seeds: Number of trainings of each config, with seeds 0, 1, ...
        data_root: Where the data is, instead of the configs'.
        amp: Whether to train in lower precision.
        cfg_options: `key=value` settings for all configs.
        latency: Whether to measure how long a trained model takes for one image.
        report_only: Whether to train nothing and make the report of the runs that are in `out`, of the configs named or
            if there is no name of all; the configs and the data need not be there.

    Returns:
        The numbers of the report.

    Raises:
        UsageError: If something is missing, damaged, or does not go together.
    """
    if report_only:
        runs = _stored_runs(out, [Path(config.partition('=')[0]).stem for config in configs])
    else:
        jobs = plan(configs, out, seeds, data_root, amp, cfg_options)
        _make_runs(jobs)
        if latency:
            _measure_latency(jobs, out)
        runs = _stored_runs(out, list(dict.fromkeys(job.name for job in jobs)))
    comparison = compare_runs(runs, _read_latencies(Path(out, LATENCY_FILE)))
    page = write_report(out, comparison)
    print_tables(comparison)
    print(f'The report is {page}.')
    return comparison


def plan(
    configs: Sequence[str],
    out: str,
    seeds: int,
    data_root: str | None = None,
    amp: bool = False,
    cfg_options: Sequence[str] = (),
) -> list[Job]:
    """List the runs, the first seed of every config before the second, and check what can be checked before they start.

    Args:
        configs: See :func:`compare`.
        out: See :func:`compare`.
        seeds: See :func:`compare`.
        data_root: See :func:`compare`.
        amp: See :func:`compare`.
        cfg_options: See :func:`compare`.

    Raises:
        UsageError: If there are not two different configs, a file is missing, or a finished run in `out` comes from
            other settings.
    """
    given = [config.partition('=') for config in configs]
    _require_two([Path(config).stem for config, _, _ in given])
    if seeds < 1:
        raise UsageError(f'--seeds {seeds} trains nothing: take 1 or more, 3 to see how results spread.')
    fixed = [option for option in cfg_options if option.startswith('randomness.seed')]
    if fixed:
        raise UsageError(f'--cfg-options {fixed[0]} would be the same in all runs: --seeds sets it in each.')
    jobs = []
    for config, has_checkpoint, paths in given:
        loaded = load_config(config, cfg_options, data_root)
        require_data(loaded, 'test_dataloader', *(() if has_checkpoint else ('train_dataloader', 'val_dataloader')))
        iterations = 0 if has_checkpoint else loaded.train_cfg.max_iters
        checkpoints = paths.split(',') if has_checkpoint else [None] * seeds
        for seed, checkpoint in enumerate(checkpoints):
            job = Job(config, seed, checkpoint, out, data_root, amp, list(cfg_options), iterations)
            if checkpoint is not None:
                require_checkpoint(checkpoint)
            if job.path.exists():
                require_same(read_run(job.path), job.path, identify(loaded, amp, checkpoint))
            jobs.append(job)
    return sorted(jobs, key=lambda job: job.seed)


def _require_two(names: Sequence[str]) -> None:
    again = [name for name in names if names.count(name) > 1]
    if again:
        raise UsageError(f'{again[0]} is there twice: give every config once, and files of one name other names.')
    if len(names) < 2:
        raise UsageError(f'A comparison needs two configs or more, but got {", ".join(names) or "none"}.')


def _stored_runs(out: str, names: Sequence[str]) -> dict[str, list[Run]]:
    """Read the runs of the configs named, or without a name of all, in the order of their seeds."""
    stored: dict[str, list[Run]] = {}
    for path in sorted(Path(out, 'runs').glob('*.json')):
        name = path.stem.rpartition('-seed')[0]
        if not names or name in names:
            stored.setdefault(name, []).append(read_run(path))
    missing = [name for name in names if name not in stored]
    if missing:
        raise UsageError(
            f'{Path(out, "runs")} holds no finished run of {", ".join(missing)}: run without --report-only.'
        )
    _require_two(list(names) or list(stored))
    return {name: sorted(stored[name], key=lambda run: run.seed) for name in names or stored}


def _make_runs(jobs: Sequence[Job]) -> None:
    """Make the runs that are not there yet, one after another, each in a process of its own."""
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


def _measure_latency(jobs: Sequence[Job], out: str) -> None:
    """Measure the first run of every config, and write `latency.json`."""
    detectors = []
    for job in jobs:
        if job.seed == 0:
            checkpoint = job.checkpoint or find_latest_checkpoint(str(job.work_dir))
            if checkpoint is None:
                raise UsageError(
                    f'--latency needs a checkpoint of {job.name}, but {job.work_dir} has none: leave --latency out, or '
                    f'delete {job.path} to train that run anew.'
                )
            detectors.append(Trained(job.config, checkpoint, job.cfg_options, job.data_root))
    measured = asdict(measure_latency(detectors, Path(out, 'deployed')))
    write_atomically(f'{json.dumps(measured, indent=1)}\n'.encode(), Path(out, LATENCY_FILE))


def _read_latencies(path: Path) -> Latencies | None:
    """Read what an earlier call measured, if one did.

    Raises:
        UsageError: If the file has another format.
    """
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text())
        return Latencies(**record | {'rows': [Latency(**row) for row in record['rows']]})
    except (ValueError, KeyError, TypeError):
        raise UsageError(f'{path} holds no latencies of this version: delete it, and measure with --latency.') from None


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
