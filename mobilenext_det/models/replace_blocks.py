"""The sandglass block as a drop-in for the inverted residuals of other networks."""

from __future__ import annotations

from typing import Any

from mmdet.models.layers import InvertedResidual
from torch import nn
from torchvision.models.mobilenetv2 import InvertedResidual as TorchvisionInvertedResidual

from .sandglass import SandglassBlock


def replace_blocks(model: nn.Module, **block: Any) -> int:
    """Swap the MobileNetV2 blocks inside a network, mmdet's or torchvision's, for sandglass blocks, in place.

    A new block has the old one's input and output channels and stride; what it has of depthwise convolutions and
    shortcuts follows from these as in MobileNeXt. Its bottleneck is the article's, a sixth of its input. Convolution,
    normalisation, activation and checkpointing are those of an mmdet block, and `SandglassBlock`'s own for a block of
    torchvision's. Weights are new: call `init_weights` afterwards, or train.

    The widths are the network's own, so what was wide inside an inverted residual is gone, and the network gets much
    smaller: MobileNetV2's backbone goes from 2223872 to 517082 parameters. At equal cost the wide ends need the
    channels that MobileNetV2 has inside its blocks, which is what MobileNeXt is.

    Args:
        model: Any network that contains such blocks.
        block: Arguments of `SandglassBlock` besides channels and stride, e.g. `reduction_ratio` or
            `identity_multiplier`.

    Returns:
        The number of blocks that were replaced.

    Raises:
        ValueError: If there is no such block inside the network, or if one has something that a sandglass block lacks:
            squeeze-and-excitation, a larger kernel or stochastic depth.

    Examples:
        >>> from torchvision.models import mobilenet_v2
        >>> replace_blocks(mobilenet_v2(), identity_multiplier=1 / 2)
        17
    """
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, (InvertedResidual, TorchvisionInvertedResidual))
    ]
    if not found:
        raise ValueError(
            f"{type(model).__name__} has no inverted residuals to replace: it needs blocks of mmdet's or torchvision's "
            'MobileNetV2 below it.'
        )
    new = [_sandglass(child, block) for _, _, child in found]
    for (parent, name, _), child in zip(found, new, strict=True):
        setattr(parent, name, child)
    return len(found)


def _sandglass(old: InvertedResidual | TorchvisionInvertedResidual, block: dict) -> SandglassBlock:
    """Return a sandglass block of the old block's channels, stride, layers, device, type and mode."""
    convs = [layer for layer in old.modules() if isinstance(layer, nn.Conv2d)]
    in_channels, out_channels = convs[0].in_channels, convs[-1].out_channels
    stride = max(conv.stride[0] for conv in convs)
    layers = {}
    if isinstance(old, InvertedResidual):
        depthwise = old.depthwise_conv
        if old.with_se or depthwise.kernel_size != (3, 3) or not isinstance(old.drop_path, nn.Identity):
            raise ValueError(
                f'A block of {in_channels} to {out_channels} channels has squeeze-and-excitation, a kernel other than '
                '3x3 or stochastic depth, which a sandglass block would lose: only plain MobileNetV2 blocks can be '
                'replaced.'
            )
        layers = dict(
            conv_cfg=depthwise.conv_cfg, norm_cfg=depthwise.norm_cfg, act_cfg=depthwise.act_cfg, with_cp=old.with_cp
        )
    new = SandglassBlock(in_channels, out_channels, stride, **{**layers, **block})
    return new.to(convs[0].weight).train(old.training)
