"""How long to train: as long as it helps, or as many minutes as there are on this machine."""

from __future__ import annotations

import statistics
import tempfile
import time
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mobilenext_det.engine.config import run_config

from .config_file import VALIDATIONS

# Measured on one core, on blood cells: of 322 seconds 39 steps took 92, and 39 batches that were evaluated as much.
AROUND = 120  # seconds: the start, ten starts of a validation's workers and files, the report with its pictures
EVALUATION = 1.0  # of a step's time, for a batch that is evaluated
FEWEST = 10  # iterations, with which a schedule can be one
SKIPPED, TIMED = 3, 5  # iterations: the first ones wait for workers and memory
WHOLE, CROPPED = 35, 60  # epochs: whole images are known by heart sooner than cropped views of them
SHORTEST = 300  # iterations, for sets of a few images


class _Clock(Hook):
    """Notes when each iteration ends."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        self.ends.append(time.perf_counter())


def enough(images: int, batch_size: int, crops: bool) -> int:
    """Return how many iterations to train where time is no object.

    Args:
        images: Number of images that are trained on.
        batch_size: How many of them a step sees.
        crops: Whether it sees cropped views of them.
    """
    return max(SHORTEST, round((CROPPED if crops else WHOLE) * images / batch_size))


def iterations_within(minutes: float, seconds: float, evaluated: float) -> int:
    """Return how many iterations a training of some minutes has.

    Args:
        minutes: How long it takes, start, validations and report included.
        seconds: What an iteration takes.
        evaluated: How many batches are evaluated meanwhile.
    """
    return max(FEWEST, int((60 * minutes - AROUND) / seconds - EVALUATION * evaluated))


def useful(iterations: int, images: int, batch_size: int, crops: bool) -> int:
    """Return how many of some iterations to train: of whole images not more than are enough.

    Args:
        iterations: How many there is time for.
        images: See :func:`enough`.
        batch_size: See :func:`enough`.
        crops: See :func:`enough`.
    """
    return iterations if crops else min(iterations, enough(images, batch_size, crops))


def evaluated_batches(validated: int, reported: int, batch_size: int) -> float:
    """Return how many batches are evaluated in a training.

    Args:
        validated: Images of the validation part.
        reported: Images of the part that the report is about.
        batch_size: Images of a batch.
    """
    return (VALIDATIONS * validated + reported) / batch_size


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
                train_cfg=dict(_delete_=True, type='IterBasedTrainLoop', max_iters=SKIPPED + TIMED),
                param_scheduler=None,  # which may count in epochs
                **dict.fromkeys(('val_dataloader', 'val_evaluator', 'val_cfg')),  # the loop would end with it
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
