"""Time for one image, kept in the folder of a comparison."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from mmengine.runner import find_latest_checkpoint

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically
from mobilenext_det.speed.forms import Trained
from mobilenext_det.speed.latency import Latencies, Latency, measure_latency

from .job import Job

LATENCY_FILE = 'latency.json'


def write_latencies(jobs: Sequence[Job], out: str) -> None:
    """Measure the first run of every config, and write `latency.json`.

    Args:
        jobs: All runs.
        out: Folder of the comparison.

    Raises:
        UsageError: If a checkpoint is gone.
    """
    detectors = []
    for job in jobs:
        if job.seed == 0:
            checkpoint = job.checkpoint or find_latest_checkpoint(str(job.work_dir))
            if checkpoint is None:
                raise UsageError(
                    f'--latency needs a checkpoint of {job.name}, but {job.work_dir} has none: leave --latency out, or '
                    f'delete {job.path} to train that run anew.'
                )
            detectors.append(Trained(job.load_config(), checkpoint))
    measured = asdict(measure_latency(detectors, Path(out, 'deployed')))
    write_atomically(f'{json.dumps(measured, indent=1)}\n'.encode(), Path(out, LATENCY_FILE))


def read_latencies(out: str) -> Latencies | None:
    """Read what was measured, if it was.

    Args:
        out: Folder of the comparison.

    Raises:
        UsageError: If the file has another format.
    """
    path = Path(out, LATENCY_FILE)
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text())
        return Latencies(**record | {'rows': [Latency(**row) for row in record['rows']]})
    except (ValueError, KeyError, TypeError):
        raise UsageError(f'{path} holds no latencies of this version: delete it, and measure with --latency.') from None
