"""The sandglass block (section 3 of "Rethinking Bottleneck Structure for Efficient Mobile Network Design")."""

from __future__ import annotations

import math
from fractions import Fraction

import torch
from mmcv.cnn import ConvModule
from mmdet.models.layers import SELayer
from mmdet.models.utils import make_divisible
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def bottleneck_channels(in_channels: int, out_channels: int, reduction_ratio: int) -> int:
    """Return the bottleneck's width: `in / t`, but at least a sixth of the output (authors' released code)."""
    hidden = in_channels // reduction_ratio
    return hidden if hidden >= out_channels / 6 else make_divisible(math.ceil(out_channels / 6), 16)


class SandglassBlock(BaseModule):
    """Depthwise convolutions at the wide ends, a linear bottleneck between, a shortcut that joins the wide ends.

    The full form is dw3x3-BN-act, 1x1 reduce-BN, 1x1 expand-BN-act, dw3x3(stride)-BN. As in the authors' released
    code, a block that changes its width loses depthwise convolutions, unless `reduction_ratio` is 2 or
    `keep_depthwise` is set: the first one at stride 2, both at stride 1 (it then ends in the expansion's activation).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the expansion and of the output.
        stride: Stride of the last depthwise convolution, 1 or 2.
        reduction_ratio: Input channels over bottleneck channels (`t` in the paper's table 2).
        keep_depthwise: Use the full form whatever the widths are, and no shortcut (stages of a single stride-1 block).
        identity_multiplier: Share of the channels, from the first on, that the shortcut adds to (section 3.2,
            "identity tensor multiplier"): the first `floor(identity_multiplier * out_channels)`.
        se_cfg: Arguments of mmdet's `SELayer` besides `channels`, e.g. `dict(ratio=16)`, or None for no
            squeeze-and-excitation. The layer acts on the wide output of the residual branch, before the shortcut is
            added, as in SE-ResNet (1709.01507, figure 3); its gate is the hard sigmoid, which quantises well. The
            released network has none.
        conv_cfg: Convolution layer.
        norm_cfg: Normalisation layer.
        act_cfg: Activation layer.
        with_cp: Recompute the block in the backward pass instead of storing its activations; batch norm then updates
            its running statistics twice a step, as everywhere in MMDetection.
        init_cfg: Initialisation.

    Raises:
        ValueError: For a stride other than 1 or 2, or an identity multiplier outside [0, 1].
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        reduction_ratio: int = 6,
        keep_depthwise: bool = False,
        identity_multiplier: float = 1.0,
        se_cfg: dict | None = None,
        conv_cfg: dict | None = None,
        norm_cfg: dict = dict(type='BN'),
        act_cfg: dict = dict(type='ReLU6'),
        with_cp: bool = False,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if stride not in (1, 2):
            raise ValueError(f'stride must be 1 or 2, but is {stride}.')
        if not 0 <= identity_multiplier <= 1:
            raise ValueError(f'identity_multiplier must lie in [0, 1], but is {identity_multiplier}.')
        self.with_cp = with_cp
        self.out_channels = out_channels
        full = reduction_ratio == 2 or in_channels == out_channels or keep_depthwise
        has_shortcut = in_channels == out_channels and stride == 1 and not keep_depthwise
        # As a fraction, so that a third of 576 channels is 192 whatever a float makes of it.
        share = Fraction(identity_multiplier).limit_denominator(1000)
        self.identity_channels = math.floor(share * out_channels) if has_shortcut else 0

        def conv(cin: int, cout: int, act: dict | None, **kwargs: int) -> ConvModule:
            return ConvModule(cin, cout, conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act, **kwargs)

        def depthwise(channels: int, act: dict | None, stride: int = 1) -> ConvModule:
            return conv(channels, channels, act, kernel_size=3, stride=stride, padding=1, groups=channels)

        hidden = bottleneck_channels(in_channels, out_channels, reduction_ratio)
        self.depthwise_in = depthwise(in_channels, act_cfg) if full else nn.Identity()
        self.reduce = conv(in_channels, hidden, None, kernel_size=1)
        self.expand = conv(hidden, out_channels, act_cfg, kernel_size=1)
        self.depthwise_out = depthwise(out_channels, None, stride) if full or stride == 2 else nn.Identity()
        se_defaults = dict(act_cfg=(dict(type='ReLU'), dict(type='HSigmoid', bias=3.0, divisor=6.0)))
        self.se = nn.Identity() if se_cfg is None else SELayer(out_channels, **{**se_defaults, **se_cfg})

    @property
    def residual_norm(self) -> nn.Module:
        """The normalisation that ends the residual branch of a block with a shortcut."""
        return self.depthwise_out.norm  # type: ignore[return-value]  # torch: an attribute may be a tensor

    def add_identity(self, out: Tensor, x: Tensor) -> Tensor:
        """Add the first `identity_channels` channels of `x` to those of `out`."""
        k = self.identity_channels
        if k == 0:
            return out
        if k == self.out_channels:
            return out + x
        # Slices and a concatenation rather than an in-place sum: both trace and export as they stand.
        return torch.cat((out[:, :k] + x[:, :k], out[:, k:]), dim=1)

    def _forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        expansion = self.expand(self.reduce(self.depthwise_in(x)))
        out = self.se(self.depthwise_out(expansion))
        return expansion, self.add_identity(out, x)

    def forward_with_expansion(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the expansion (N, out_channels, H, W) and the output (N, out_channels, H / stride, W / stride)."""
        if self.with_cp and x.requires_grad:
            return checkpoint(self._forward, x, use_reentrant=False)
        return self._forward(x)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        return self.forward_with_expansion(x)[1]
