"""Whether a checkpoint fits a model, and saying so where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from mobilenext_det.errors import UsageError


class Mismatches(NamedTuple):
    """What a checkpoint does not give a model.

    Attributes:
        reshaped: Parameters and buffers of another shape, as 'name (shape in the checkpoint) -> (shape in the model)'.
        missing: Names of those that the checkpoint does not have.
    """

    reshaped: list[str]
    missing: list[str]

    @property
    def both(self) -> list[str]:
        """All parameters and buffers that would stay as they are."""
        return [*self.reshaped, *self.missing]


def mismatches(model: nn.Module, weights: Mapping[str, Tensor]) -> Mismatches:
    """Compare a model's parameters and buffers with the weights meant for it.

    Args:
        model: The model.
        weights: A checkpoint's ``state_dict``.
    """
    own = {name: value for name, value in model.state_dict().items() if not name.endswith('num_batches_tracked')}
    reshaped = [
        f'{name} {tuple(weights[name].shape)} -> {tuple(value.shape)}'
        for name, value in own.items()
        if name in weights and weights[name].shape != value.shape
    ]
    return Mismatches(reshaped, [name for name in own if name not in weights])


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the network within what distributes it or merges its detections: the one that checkpoints hold."""
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.get_submodule('module')
    return model


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Say in the log which parameters a checkpoint leaves as they are, and stop where that would make nonsense.

    Starting from other weights with ``load_from`` leaves out what has another shape, which is right for a head with
    other classes; mmengine does so and prints it outside the log. A run can only be resumed, and a model only be
    tested, with weights that fit altogether: stock MMDetection evaluates a network that was never loaded.
    """

    priority = 'VERY_HIGH'
    found = Mismatches([], [])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare before mmengine copies the weights.

        Args:
            runner: The runner, with its model built.
            checkpoint: What was read.

        Raises:
            UsageError: If the run is to be resumed and a shape differs.
        """
        self.found = mismatches(unwrapped(runner.model), checkpoint.get('state_dict', checkpoint))
        reshaped = self.found.reshaped
        if not reshaped:
            return
        listing = '\n  '.join(reshaped)
        if runner._resume:
            raise UsageError(
                f'The run cannot be resumed from another network; to start from its weights use load_from without '
                f'resume. {len(reshaped)} parameters have another shape (checkpoint -> model):\n  {listing}'
            )
        runner.logger.warning(
            f'{len(reshaped)} parameters have another shape in the checkpoint and are left out '
            f'(checkpoint -> model):\n  {listing}'
        )

    def before_test(self, runner: Runner) -> None:
        """Refuse to test a model that is not loaded in full.

        Args:
            runner: The runner, after loading.

        Raises:
            UsageError: If the checkpoint left out any parameter.
        """
        unfit = self.found.both
        if unfit:
            raise UsageError(
                f'The checkpoint does not fit the config: {len(unfit)} parameters would stay untrained, such as '
                f'{unfit[0]}.'
            )
