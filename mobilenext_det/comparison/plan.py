"""Which runs a comparison consists of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mobilenext_det.checkpoints import require_checkpoint, require_same_classes
from mobilenext_det.engine.config import class_lists, load_config, require_data
from mobilenext_det.errors import UsageError

from .identity import identify
from .job import Job
from .run_record import read_run, require_same


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
        configs: See :func:`~mobilenext_det.comparison.compare.compare`.
        out: See :func:`~mobilenext_det.comparison.compare.compare`.
        seeds: See :func:`~mobilenext_det.comparison.compare.compare`.
        data_root: See :func:`~mobilenext_det.comparison.compare.compare`.
        amp: See :func:`~mobilenext_det.comparison.compare.compare`.
        cfg_options: See :func:`~mobilenext_det.comparison.compare.compare`.

    Raises:
        UsageError: If there are not two different configs, a file is missing, or a finished run in `out` comes from
            other settings, or two have other classes.
    """
    given = [config.partition('=') for config in configs]
    require_two([Path(config).stem for config, _, _ in given])
    if seeds < 1:
        raise UsageError(f'--seeds {seeds} trains nothing: take 1 or more, 3 to see how results spread.')
    fixed = [option for option in cfg_options if option.startswith('randomness.seed')]
    if fixed:
        raise UsageError(f'--cfg-options {fixed[0]} would be the same in all runs: --seeds sets it in each.')
    jobs = []
    lists: dict[str, tuple[str, ...]] = {}
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
        require_same_classes(lists := lists | class_lists(loaded, 'test_dataloader'))
    return sorted(jobs, key=lambda job: job.seed)


def require_two(names: Sequence[str]) -> None:
    """Check that there are two configs or more to compare, each once.

    Args:
        names: Their names.

    Raises:
        UsageError: If there are not.
    """
    again = [name for name in names if names.count(name) > 1]
    if again:
        raise UsageError(f'{again[0]} is there twice: give every config once, and files of one name other names.')
    if len(names) < 2:
        raise UsageError(f'A comparison needs two configs or more, but got {", ".join(names) or "none"}.')
