"""A convolution that leaves bfloat16 autocast where bfloat16 is slow."""

from __future__ import annotations

import torch
from mmdet.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class AutocastConv2d(nn.Conv2d):
    """`nn.Conv2d`, except that a strided depthwise convolution stays in float32 under CPU autocast.

    The bfloat16 backward pass of such a convolution has no fast kernel on the CPU (torch 2.11 with AVX512-BF16): it
    takes five to twenty times as long as in float32, a third of a whole training step. Weights, keys and results
    elsewhere are those of `nn.Conv2d`. Use it as `conv_cfg=dict(type='AutocastConv2d')`.
    """

    # Not `forward`: mmcv calls this one with other weights, those that a batch norm was folded into.
    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.groups > 1 and self.stride != (1, 1) and x.device.type == 'cpu' and _in_cpu_autocast():
            with torch.autocast('cpu', enabled=False):
                return super()._conv_forward(x.float(), weight, bias)
        return super()._conv_forward(x, weight, bias)


def _in_cpu_autocast() -> bool:
    try:
        return torch.is_autocast_enabled('cpu')
    except TypeError:  # before torch 2.4
        return torch.is_autocast_cpu_enabled()
