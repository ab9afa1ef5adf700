"""What a block's bottleneck keeps of the features: their effective rank, and how well they can be restored.

The bottleneck is the linear 1x1 convolution that narrows the features: `reduce` in the middle of a sandglass block, the
last convolution of an inverted residual. "Before" are the features that enter it, "after" those that leave it, without
its batch norm: that can be undone, except where it ends a residual branch and starts at zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from mmcv.cnn import ConvModule
from mmdet.models.layers import InvertedResidual
from torch import Tensor, nn

from mobilenext_det.models import NarrowDepthwiseSandglassBlock, SandglassBlock

from .complexity import stage_of

POSITIONS = 4096


@dataclass(frozen=True)
class BottleneckLoss:
    """What one block's bottleneck keeps.

    Attributes:
        block: The block's name in the backbone.
        stage: The stage that it belongs to.
        channels_before: Channels that enter the bottleneck.
        channels_after: Channels that leave it.
        rank_before: Effective rank of what enters.
        rank_after: Effective rank of what leaves.
        input_lost: Share of the variance of the block's input that the best linear map of what leaves cannot restore.
        wide_lost: The same for the features that enter the bottleneck, which are wide in both kinds of block.
    """

    block: str
    stage: str
    channels_before: int
    channels_after: int
    rank_before: float
    rank_after: float
    input_lost: float
    wide_lost: float


def effective_rank(covariance: Tensor) -> float:
    """Return exp(entropy) of the spectrum: singular values over their sum (Roy and Vetterli, EUSIPCO 2007).

    Args:
        covariance: (C, C) of the features. The roots of its eigenvalues are in proportion to the singular values of the
            matrix of centred features, positions by channels.

    Returns:
        From 1 (one direction holds all) to C (all directions alike); 0 for features that never change.
    """
    values = torch.linalg.eigvalsh(covariance).clamp(min=0).sqrt()
    shares = values[values > 0] / values.sum()
    return torch.exp(-(shares * shares.log()).sum()).item() if len(shares) else 0.0


def reconstruction_error(target: Tensor, source: Tensor, cross: Tensor, ridge: float = 1e-6) -> float:
    """Return the share of the target's variance that ridge regression on the source leaves unexplained.

    Args:
        target: (T, T), covariance of what is to be restored.
        source: (S, S), covariance of what it is restored from.
        cross: (S, T), covariance of the two.
        ridge: The penalty, over the mean variance of the source's channels: enough for the source to be invertible, too
            little to matter otherwise.

    Returns:
        0 (all is restored) to 1 (nothing is); 0 for a target that never changes.
    """
    if target.trace() <= 0:
        return 0.0
    if source.trace() <= 0:
        return 1.0
    penalty = ridge * source.diagonal().mean() * torch.eye(len(source), dtype=source.dtype)
    weights = torch.linalg.solve(source + penalty, cross)
    explained = 2 * (weights * cross).sum() - (weights * (source @ weights)).sum()
    return (1 - explained / target.trace()).clamp(0, 1).item()


class Moments:
    """Count, sums and products of features, gathered batch by batch in float64."""

    def __init__(self) -> None:
        self.count = 0
        self.sums = self.products = torch.zeros((), dtype=torch.float64)

    def add(self, features: Tensor) -> None:
        """Add features (positions, channels)."""
        features = features.double()
        self.count += len(features)
        self.sums = self.sums + features.sum(0)
        self.products = self.products + features.T @ features

    def covariance(self) -> Tensor:
        """Return the covariance (channels, channels) of all that was added."""
        mean = self.sums / self.count
        return (self.products / self.count - torch.outer(mean, mean)).cpu()


class BottleneckProbe:
    """Watches the bottlenecks of a backbone's blocks while the model runs.

    Of each batch it takes as many positions as `POSITIONS`, drawn at random but the same in every run.

    Args:
        backbone: A network of `SandglassBlock` or mmdet's `InvertedResidual`; other blocks are not looked at.
    """

    def __init__(self, backbone: nn.Module) -> None:
        self.moments: dict[str, Moments] = {}
        self.widths: dict[str, list[int]] = {}
        self._inputs: dict[str, Tensor] = {}
        self._generator = torch.Generator().manual_seed(0)
        for name, block in backbone.named_modules():
            if isinstance(block, SandglassBlock):
                narrow = isinstance(block, NarrowDepthwiseSandglassBlock) and block.is_narrow
                self._watch(name, block.reduce if narrow else block.depthwise_in, block.reduce)
            elif isinstance(block, InvertedResidual):
                first = block.expand_conv if block.with_expand_conv else block.depthwise_conv
                self._watch(name, first, block.linear_conv)

    def _watch(self, name: str, first: nn.Module, bottleneck: ConvModule) -> None:
        """Hook layers, not the block: backbones that are tapped inside a block call its layers themselves."""

        def enter(_: nn.Module, inputs: tuple[Tensor]) -> None:
            self._inputs[name] = inputs[0].detach()

        def leave(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
            self._add(name, self._inputs.pop(name), inputs[0].detach(), output.detach())

        first.register_forward_pre_hook(enter)
        bottleneck.conv.register_forward_hook(leave)

    def _add(self, name: str, block_input: Tensor, before: Tensor, after: Tensor) -> None:
        # Where the stride comes before the bottleneck, the input at the centres of the kernels is what is compared.
        stride = math.ceil(block_input.shape[-1] / after.shape[-1])
        features = (block_input[..., ::stride, ::stride], before, after)
        self.widths[name] = [feature.shape[1] for feature in features]
        rows = torch.cat([feature.permute(0, 2, 3, 1).flatten(0, 2) for feature in features], dim=1)
        chosen = torch.randperm(len(rows), generator=self._generator)[:POSITIONS].to(rows.device)
        self.moments.setdefault(name, Moments()).add(rows[chosen])

    def results(self) -> list[BottleneckLoss]:
        """Return what each block's bottleneck kept, in the order of the blocks."""
        return [self._result(name, moments.covariance()) for name, moments in self.moments.items()]

    def _result(self, name: str, covariance: Tensor) -> BottleneckLoss:
        rows = covariance.split(self.widths[name])
        (of_input, _, _), (_, of_before, _), (after_input, after_before, of_after) = (
            row.split(self.widths[name], dim=1) for row in rows
        )
        return BottleneckLoss(
            block=name,
            stage=stage_of(f'backbone.{name}').removeprefix('backbone.'),
            channels_before=len(of_before),
            channels_after=len(of_after),
            rank_before=effective_rank(of_before),
            rank_after=effective_rank(of_after),
            input_lost=reconstruction_error(of_input, of_after, after_input),
            wide_lost=reconstruction_error(of_before, of_after, after_before),
        )
