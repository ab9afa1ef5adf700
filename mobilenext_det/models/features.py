"""What comes out of a backbone: asked for, so that nobody has to repeat it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from mobilenext_det.errors import UsageError

IMAGE_SIZE = 64  # pixels a side of the image that shows what comes out: two cells at a stride of 32


class Feature(NamedTuple):
    """One output of a backbone.

    Attributes:
        channels: Its channels.
        stride: Pixels of the image from one of its cells to the next.
    """

    channels: int
    stride: int


def backbone_features(backbone: nn.Module) -> tuple[Feature, ...]:
    """Tell what comes out of a backbone.

    Ours say it in `feature_info`, a list with `channels` and `stride` of each output (timm's idea). mmdet's do not, and
    are shown a black image, as torchvision's `retrieve_out_channels` shows one, in evaluation mode and where their
    weights lie. That takes milliseconds, and draws no random numbers that training would miss. A second one on the meta
    device would compute nothing, but PVT and Swin cannot be built there.

    Args:
        backbone: Any network that maps images (N, 3, H, W) to a sequence of features (N, C, H / stride, W / stride).
    """
    said = getattr(backbone, 'feature_info', None)
    if said is None:
        return _features_of_an_image(backbone)
    return tuple(Feature(info['channels'], info['stride']) for info in said)


@torch.no_grad()
def _features_of_an_image(backbone: nn.Module) -> tuple[Feature, ...]:
    image = torch.zeros(1, 3, IMAGE_SIZE, IMAGE_SIZE, device=next(backbone.parameters()).device)
    # Mode by mode: mmdet's own `train` freezes layers and does not bring all modes back.
    modes = [(module, module.training) for module in backbone.modules()]
    try:
        for module, _ in modes:
            module.training = False
        outputs = backbone(image)
    finally:
        for module, mode in modes:
            module.training = mode
    return tuple(Feature(output.shape[1], IMAGE_SIZE // output.shape[2]) for output in outputs)


def require_channels(in_channels: Sequence[int] | None, part: nn.Module) -> tuple[int, ...]:
    """Return the channels that a part of a detector gets.

    Args:
        in_channels: Those of each feature, if its config or its detector says them.
        part: The part.

    Raises:
        UsageError: If none are said.
    """
    if in_channels is None:
        raise UsageError(
            f"{type(part).__name__} got no in_channels: let the model be type='SSDLite', which takes them from the "
            'network before it, or set them.'
        )
    return tuple(in_channels)
