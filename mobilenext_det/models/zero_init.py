"""Residual blocks that start as the identity."""

from __future__ import annotations

from mmdet.models.layers import InvertedResidual
from mmengine.model import BaseModule
from torch import nn

from .sandglass import SandglassBlock


class ZeroInitResidual(BaseModule):
    """A backbone that can start its blocks with a shortcut as the identity, for training from scratch.

    With `zero_init_residual` set, `init_weights` ends with a zero scale in the last batch norm of each such block, as
    in mmdet's ResNet. Weights that come from a checkpoint keep all of their scales.
    """

    zero_init_residual: bool

    def init_weights(self) -> None:
        """Initialise as `init_cfg` says, then the scales."""
        first_time = not self.is_init
        super().init_weights()
        pretrained = isinstance(self.init_cfg, dict) and self.init_cfg['type'] == 'Pretrained'
        if self.zero_init_residual and first_time and not pretrained:
            for block in self.modules():
                if isinstance(block, SandglassBlock) and block.identity_channels:
                    nn.init.zeros_(block.residual_norm.get_parameter('weight'))
                elif isinstance(block, InvertedResidual) and block.with_res_shortcut:
                    nn.init.zeros_(block.linear_conv.norm.weight)
