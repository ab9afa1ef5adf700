"""All operations of an edge at once, weighted: what a supernet has where a network has one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .operations import NONE, make_operation


class MixedOperation(nn.Module):
    """The sum of an edge's operations, each times its weight (1806.09055, equation 2).

    `none` adds zeros: it takes its share of the softmax and is not computed. Poolings have a batch norm behind them, as
    all others end in one, so that no operation's outputs are larger than those of the rest.

    Args:
        operations: Their names.
        channels: Channels of input and output.
        stride: 1 or 2.
    """

    def __init__(self, operations: Sequence[str], channels: int, stride: int) -> None:
        super().__init__()
        self.places = [place for place, name in enumerate(operations) if name != NONE]
        self.operations = nn.ModuleList(_comparable(operations[place], channels, stride) for place in self.places)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C, H / stride, W / stride).

        Args:
            x: The state that the edge reads.
            weights: (operations,).
        """
        pairs = zip(self.places, self.operations, strict=True)
        return torch.stack([weights[place] * operation(x) for place, operation in pairs]).sum(0)


def _comparable(name: str, channels: int, stride: int) -> nn.Module:
    operation = make_operation(name, channels, stride, affine=False)
    return nn.Sequential(operation, nn.BatchNorm2d(channels, affine=False)) if 'pool' in name else operation


class PartialMixedOperation(nn.Module):
    """A mixed operation on one channel of K, past which the others go (PC-DARTS, 1907.05737, section 3.2).

    Memory and time are those of C / K channels. Which channels are mixed changes from edge to edge, as each shuffles
    its outputs. At stride 2 the others are max-pooled.

    Args:
        operations: Their names.
        channels: Channels of input and output, a multiple of K.
        stride: 1 or 2.
        partial: K.
    """

    def __init__(self, operations: Sequence[str], channels: int, stride: int, partial: int) -> None:
        super().__init__()
        self.mixed_channels = channels // partial
        self.mixed = MixedOperation(operations, self.mixed_channels, stride)
        self.bypass = nn.Identity() if stride == 1 else nn.MaxPool2d(2, 2)
        self.shuffle = nn.ChannelShuffle(partial)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """Map as `MixedOperation` does."""
        mixed, others = x[:, : self.mixed_channels], x[:, self.mixed_channels :]
        return self.shuffle(torch.cat([self.mixed(mixed, weights), self.bypass(others)], dim=1))
