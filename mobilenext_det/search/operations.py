"""The operations of the DARTS search space (1806.09055, section 3.1), and of the same with the sandglass block."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mobilenext_det.errors import UsageError
from mobilenext_det.models import SandglassBlock

NONE = 'none'
DARTS_SPACE = (
    NONE,
    'max_pool_3x3',
    'avg_pool_3x3',
    'skip_connect',
    'sep_conv_3x3',
    'sep_conv_5x5',
    'dil_conv_3x3',
    'dil_conv_5x5',
)
SPACES = {'darts': DARTS_SPACE, 'sandglass': (*DARTS_SPACE, 'sandglass')}
"""The operations of each search space by its name, in the order of the architecture parameters."""

REDUCTION_RATIO = 2


def operations_of(space: str) -> tuple[str, ...]:
    """Return the operations of a search space.

    Args:
        space: Its name.

    Raises:
        UsageError: If there is no such space.
    """
    if space not in SPACES:
        raise UsageError(f'There is no search space {space!r}: choose one of {", ".join(SPACES)}.')
    return SPACES[space]


class Zero(nn.Module):
    """No connection: zeros of the shape that the other operations give.

    Args:
        stride: 1 or 2.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to zeros (N, C, H / stride, W / stride)."""
        return torch.zeros_like(x[..., :: self.stride, :: self.stride])


class ReLUConvBN(nn.Sequential):
    """ReLU, a convolution and batch norm: the order of all of DARTS's own operations.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        affine: Whether batch norm has a scale and a shift.
    """

    def __init__(self, in_channels: int, out_channels: int, affine: bool) -> None:
        super().__init__(
            nn.ReLU(), nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels, affine=affine)
        )


class FactorizedReduce(nn.Module):
    """Halve a map by two pointwise convolutions of every second pixel, each of half the output, one moved by a pixel.

    Together they see every second pixel of both diagonals, where one would see a quarter of all.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output, an even number.
        affine: Whether batch norm has a scale and a shift.
    """

    def __init__(self, in_channels: int, out_channels: int, affine: bool) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.halves = nn.ModuleList(nn.Conv2d(in_channels, out_channels // 2, 1, bias=False) for _ in range(2))
        self.norm = nn.BatchNorm2d(out_channels, affine=affine)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / 2, W / 2), rounded up for odd sizes."""
        x = self.relu(x)
        # The moved half of a map of odd size lacks its last row and column; zeros stand in for them.
        moved = nn.functional.pad(x[..., 1:, 1:], (0, x.shape[-1] % 2, 0, x.shape[-2] % 2))
        # Pixels are left out before the convolutions: one of stride 2 with channels last and an output of one or two
        # channels writes beyond its memory in its backward pass (torch 2.11 with oneDNN).
        halves = (half(each[..., ::2, ::2]) for half, each in zip(self.halves, (x, moved), strict=True))
        return self.norm(torch.cat([*halves], dim=1))


def _depthwise_separable(channels: int, kernel: int, stride: int, dilation: int, affine: bool) -> list[nn.Module]:
    padding = dilation * (kernel - 1) // 2
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    ]


def _separable(channels: int, kernel: int, stride: int, affine: bool) -> nn.Module:
    """Two depthwise separable convolutions, the first of which has the stride."""
    return nn.Sequential(
        *_depthwise_separable(channels, kernel, stride, 1, affine),
        *_depthwise_separable(channels, kernel, 1, 1, affine),
    )


def _dilated(channels: int, kernel: int, stride: int, affine: bool) -> nn.Module:
    """One depthwise separable convolution of dilation 2."""
    return nn.Sequential(*_depthwise_separable(channels, kernel, stride, 2, affine))


def _skip(channels: int, stride: int, affine: bool) -> nn.Module:
    return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)


def sandglass(channels: int, stride: int, affine: bool) -> SandglassBlock:
    """Return the sandglass block as an operation between two nodes of a cell, whose widths are always equal.

    So it has the full form of MobileNeXt's blocks of equal widths, both depthwise convolutions, at both strides; at
    stride 1 its shortcut joins the wide ends, at stride 2 it has none. It starts with a convolution and not with
    DARTS's ReLU, and ends linear, as the block does in MobileNeXt: an activation before it would cut the identity.

    The reduction ratio is 2, that of MobileNeXt's narrowest stage (table 2 of 2007.02269), and not the 6 of its others:
    a search has 16 channels, or 4 where they are partial, of which a sixth is no bottleneck any more, and for which the
    released rule of at least 16 channels would make the bottleneck wider than the ends. 2 gives the same share at every
    width, so that what is searched is what is trained afterwards. The authors released no code of their own search.

    Args:
        channels: Channels of both nodes.
        stride: 1 or 2.
        affine: Whether batch norm has a scale and a shift.
    """
    return SandglassBlock(
        channels, channels, stride, reduction_ratio=REDUCTION_RATIO, norm_cfg=dict(type='BN', affine=affine)
    )


_MAKERS: dict[str, Callable[[int, int, bool], nn.Module]] = {
    NONE: lambda channels, stride, affine: Zero(stride),
    'max_pool_3x3': lambda channels, stride, affine: nn.MaxPool2d(3, stride, 1),
    'avg_pool_3x3': lambda channels, stride, affine: nn.AvgPool2d(3, stride, 1, count_include_pad=False),
    'skip_connect': _skip,
    'sep_conv_3x3': lambda channels, stride, affine: _separable(channels, 3, stride, affine),
    'sep_conv_5x5': lambda channels, stride, affine: _separable(channels, 5, stride, affine),
    'dil_conv_3x3': lambda channels, stride, affine: _dilated(channels, 3, stride, affine),
    'dil_conv_5x5': lambda channels, stride, affine: _dilated(channels, 5, stride, affine),
    'sandglass': sandglass,
}


def make_operation(name: str, channels: int, stride: int, affine: bool = True) -> nn.Module:
    """Build an operation that maps (N, channels, H, W) to (N, channels, H / stride, W / stride).

    Args:
        name: The operation.
        channels: Channels of its input and output.
        stride: 1 or 2.
        affine: Whether batch norm has a scale and a shift: not in a supernet, where they would do the work of the
            architecture parameters.
    """
    return _MAKERS[name](channels, stride, affine)
