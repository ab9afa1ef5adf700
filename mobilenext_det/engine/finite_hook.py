"""A training whose loss or weights are no numbers any more is stopped, and nothing of it is saved."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from mobilenext_det.errors import TrainingError

NUM_IMAGES = 32
"""How many images of a batch are named."""


class _Step(NamedTuple):
    iteration: int
    loss: Tensor
    rate: float
    images: list[str]


@HOOKS.register_module()
class FiniteHook(Hook):
    """mmdet's ``CheckInvalidLossHook`` that says where it began and lets no such checkpoint be written.

    Losses are looked at together, once an interval, so that a GPU need not wait for each; and before a validation and a
    checkpoint, which is then not written: the last good one and the best stay as they are.

    Args:
        interval: Iterations between two looks.
    """

    # Before LoggerHook and CheckpointHook.
    priority = 'NORMAL'

    def __init__(self, interval: int = 50) -> None:
        self.interval = interval
        self._steps: list[_Step] = []

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Note the loss with what it comes from, and look at all noted once an interval.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: The batch.
            outputs: The losses by name.

        Raises:
            TrainingError: If a loss is not finite.
        """
        if not outputs or 'loss' not in outputs:
            return
        loss = torch.as_tensor(outputs['loss']).detach().float().mean()
        rate = next(iter(runner.optim_wrapper.get_lr().values()))[0]
        self._steps.append(_Step(runner.iter + 1, loss, rate, _images(data_batch)))
        if len(self._steps) >= self.interval:
            self._look(runner)

    def before_val_epoch(self, runner: Runner) -> None:
        """Look before a validation."""
        self._look(runner)

    def after_train(self, runner: Runner) -> None:
        """Look at the end."""
        self._look(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Look before a checkpoint is written, and at the weights that it would hold.

        Raises:
            TrainingError: If a loss or a weight is not finite.
        """
        self._look(runner)
        for part in ('state_dict', 'ema_state_dict'):
            for name, value in checkpoint.get(part, {}).items():
                if value.is_floating_point() and not value.isfinite().all():
                    raise TrainingError(
                        f'{name} is not finite after iteration {runner.iter + 1}: no checkpoint is written. '
                        f'{_advice(runner)}'
                    )

    def _look(self, runner: Runner) -> None:
        if not self._steps:
            return
        losses = torch.stack([step.loss for step in self._steps]).tolist()
        steps, self._steps = self._steps, []
        for step, loss in zip(steps, losses, strict=True):
            if not math.isfinite(loss):
                raise TrainingError(
                    f'The loss is {loss} at iteration {step.iteration}, at a learning rate of {step.rate:.4g} and with '
                    f'the images {_listing(step.images)}: the training stops. {_advice(runner)}'
                )


def _advice(runner: Runner) -> str:
    last = runner.message_hub.get_info('last_ckpt') if 'last_ckpt' in runner.message_hub.runtime_info else None
    return (
        'Lower optim_wrapper.optimizer.lr, lengthen the warm-up, set optim_wrapper.clip_grad=dict(max_norm=10), or '
        f'look at these images; {f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"}.'
    )


def _images(batch: Any) -> list[str]:
    """Return the files of a batch, as far as it knows them."""
    samples = batch.get('data_samples') if isinstance(batch, Mapping) else None
    if isinstance(samples, Tensor) or not isinstance(samples, Iterable):
        return []
    return [Path(sample.img_path).name for sample in samples if getattr(sample, 'img_path', None)]


def _listing(images: list[str]) -> str:
    more = f' and {len(images) - NUM_IMAGES} more' if len(images) > NUM_IMAGES else ''
    return ', '.join(images[:NUM_IMAGES]) + more if images else 'of its batch, whose files are not known'
