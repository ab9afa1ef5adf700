"""Backbones for images too small for a stride of 32."""

from __future__ import annotations

from torch import nn

HALVINGS = {32: 0, 16: 1, 8: 2}  # how many strides each total stride does without


def reduce_stride(backbone: nn.Module, total_stride: int) -> None:
    """Take the strides out of a backbone's first strided convolutions, in place, and out of its `feature_info`.

    The first ones, as is usual for CIFAR: where detail is, nothing is thrown away. Weights keep their shapes, so that
    those of any total stride fit any other.

    Args:
        backbone: A network of stride 32, its convolutions in the order in which they are applied.
        total_stride: The stride that it is to have, 32, 16 or 8.

    Raises:
        ValueError: For another stride.
    """
    if total_stride not in HALVINGS:
        raise ValueError(f'total_stride must be one of {tuple(HALVINGS)}, but is {total_stride}.')
    strided = [module for module in backbone.modules() if isinstance(module, nn.Conv2d) and module.stride == (2, 2)]
    for convolution in strided[: HALVINGS[total_stride]]:
        convolution.stride = (1, 1)
    for feature in backbone.feature_info:  # type: ignore[union-attr]  # torch: any attribute is a tensor or a module
        feature['stride'] = max(1, feature['stride'] * total_stride // 32)
