"""Saying which parameters a checkpoint could not fill."""

from __future__ import annotations

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner


@HOOKS.register_module()
class ShapeCheckHook(Hook):
    """Name in the log every parameter whose shape in a checkpoint is not the model's.

    With ``load_from`` mmengine leaves such parameters as they are, which is right for a head with other classes, and
    prints so outside the log. A run to be resumed must fit altogether: there it is an error.
    """

    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare shapes before mmengine copies the parameters.

        Args:
            runner (Runner): The runner, with its model built.
            checkpoint (dict): What was read.

        Raises:
            ValueError: If the run is to be resumed and a shape differs.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        weights = checkpoint.get('state_dict', checkpoint)
        left_out = [
            f'{name} {tuple(weights[name].shape)} -> {tuple(value.shape)}'
            for name, value in model.state_dict().items()
            if name in weights and weights[name].shape != value.shape
        ]
        if not left_out:
            return
        listing = '\n  '.join(left_out)
        if runner._resume:
            raise ValueError(
                f'A run with {len(left_out)} parameters of another shape cannot be resumed; to start from its weights '
                f'use load_from without resume. Shape in the checkpoint -> in the model:\n  {listing}'
            )
        runner.logger.warning(
            f'Left out {len(left_out)} parameters of the checkpoint, whose shape is not the '
            f"model's (checkpoint -> model):\n  {listing}"
        )
