"""Comparing configs over seeds: what `tools/compare.py` calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilenext_det.errors import UsageError

from .intervals import compare_runs
from .latency_file import read_latencies, write_latencies
from .plan import plan, require_two
from .processes import make_runs
from .report import print_tables, write_report
from .results import Comparison
from .run_record import Run, read_run


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
        make_runs(jobs)
        if latency:
            write_latencies(jobs, out)
        runs = _stored_runs(out, list(dict.fromkeys(job.name for job in jobs)))
    comparison = compare_runs(runs, read_latencies(out))
    page = write_report(out, comparison)
    print_tables(comparison)
    print(f'The report is {page}.')
    return comparison


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
    require_two(list(names) or list(stored))
    return {name: sorted(stored[name], key=lambda run: run.seed) for name in names or stored}
