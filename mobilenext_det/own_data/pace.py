"""How fast this machine trains a config."""

from __future__ import annotations

import statistics
import tempfile
import time
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mobilenext_det.engine.config import run_config

SKIPPED, TIMED = 3, 5  # iterations: the first ones wait for workers and memory


class _Clock(Hook):
    """Notes when each iteration ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        self.ends.append(time.perf_counter())


def seconds_per_iteration(config: Config) -> float:
    """Train a few iterations, and return the median of the seconds each took, loading included.

    Args:
        config: The config, which stays as it is.
    """
    clock = _Clock()
    with tempfile.TemporaryDirectory() as folder:
        short = run_config(config, folder, 'none')
        short.merge_from_dict(
            dict(
                train_cfg=dict(max_iters=SKIPPED + TIMED, val_interval=SKIPPED + TIMED + 1),
                log_level='ERROR',
                vis_backends=[],
                visualizer=dict(vis_backends=[]),
            )
        )
        short.default_hooks.pop('checkpoint', None)
        short.custom_hooks = []
        runner = Runner.from_cfg(short)
        runner.register_hook(clock)
        runner.train()
    ends = clock.ends[SKIPPED - 1 :]
    return statistics.median(after - before for before, after in zip(ends, ends[1:], strict=False))
