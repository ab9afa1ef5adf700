"""Memory format."""

from __future__ import annotations

import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Store the weights channels_last, which is what depthwise convolutions are fast in.

    A convolution with such weights gives a channels_last output whatever its input's format is, so the images need no
    conversion. Shapes, values and checkpoints' keys do not change; the conversion follows the initialisation, which
    would draw other weights in another format.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner: Runner) -> None:
        """Convert the model in place.

        Args:
            runner (Runner): The runner, with its model initialised.
        """
        runner.model.to(memory_format=torch.channels_last)

    before_test = before_train
