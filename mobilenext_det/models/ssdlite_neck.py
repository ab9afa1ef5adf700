"""The extra levels of SSDLite: four stride-2 blocks after the backbone."""

from __future__ import annotations

from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmdet.models.layers import InvertedResidual
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mobilenext_det.errors import UsageError

from .features import require_channels

# Bottleneck (sandglass) and hidden (inverted residual) width is the first number, output width the second (authors'
# released code).
SANDGLASS_EXTRAS = ((256, 512), (128, 256), (128, 256), (128, 128))
INVERTED_RESIDUAL_EXTRAS = ((256, 512), (256, 256), (128, 256), (128, 64))
LEVELS = ('C3', 'C4', 'C5')


def sandglass_extra(in_channels: int, hidden: int, out_channels: int, layers: dict) -> nn.Sequential:
    """Return dw3x3(stride 2)-BN-act, 1x1 reduce-BN, 1x1 expand-BN-act: a sandglass less its last depthwise."""
    return nn.Sequential(
        ConvModule(in_channels, in_channels, 3, stride=2, padding=1, groups=in_channels, **layers),
        ConvModule(in_channels, hidden, 1, **{**layers, 'act_cfg': None}),
        ConvModule(hidden, out_channels, 1, **layers),
    )


def inverted_residual_extra(in_channels: int, hidden: int, out_channels: int, layers: dict) -> InvertedResidual:
    """Return 1x1-BN-act, dw3x3(stride 2)-BN-act, 1x1-BN: MobileNetV2's block."""
    return InvertedResidual(in_channels, out_channels, hidden, stride=2, **layers)


@MODELS.register_module()
class SSDLiteNeck(BaseModule):
    """Pass C4 and C5 on and append four extra levels, each half the size of the one before.

    Args:
        in_channels: Channels of the features that come in: C4, C5 and, if the extra levels read another one than C5,
            that one (MobileNeXt's last output; MobileNetV2's extra levels read C5 itself). `SSDLite` sets them.
        passed: How many features are levels themselves: 2, or 3 if C3 comes before C4, for objects too small for a grid
            of 16 pixels.
        block: Form of the extra levels: 'sandglass' or 'inverted_residual'. Their widths do not follow the width
            multiplier.
        conv_cfg: Convolution layer.
        norm_cfg: Normalisation layer.
        act_cfg: Activation layer.
        init_cfg: Initialisation; the default is the backbones' own, Kaiming.

    Raises:
        UsageError: If other features come in than those passed on and at most one more, or for another block.
    """

    def __init__(
        self,
        in_channels: Sequence[int] | None = None,
        block: str = 'sandglass',
        passed: int = 2,
        conv_cfg: dict | None = None,
        norm_cfg: dict = dict(type='BN'),
        act_cfg: dict = dict(type='ReLU6'),
        init_cfg: dict | list[dict] | None = dict(
            type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu', distribution='normal'
        ),
    ) -> None:
        super().__init__(init_cfg)
        in_channels = require_channels(in_channels, self)
        if len(in_channels) not in (passed, passed + 1):
            raise UsageError(
                f'in_channels must be those of {", ".join(LEVELS[-passed:])} and at most one more feature, but is '
                f"{in_channels}: choose features by the backbone's out_indices."
            )
        forms = {
            'sandglass': (sandglass_extra, SANDGLASS_EXTRAS),
            'inverted_residual': (inverted_residual_extra, INVERTED_RESIDUAL_EXTRAS),
        }
        if block not in forms:
            raise UsageError(f'block must be one of {tuple(forms)}, but is {block!r}.')
        make, widths = forms[block]
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        channels = (in_channels[-1], *(out for _, out in widths))
        self.extra_levels = nn.ModuleList(
            make(channels[i], hidden, out_channels, layers) for i, (hidden, out_channels) in enumerate(widths)
        )
        self.num_inputs = len(in_channels)
        self.passed = passed
        self.out_channels = (*in_channels[:passed], *channels[1:])

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Return the levels (N, out_channels[i], H_i, W_i): those that are passed on and four more."""
        if len(features) != self.num_inputs:
            raise ValueError(f'The neck was built for {self.num_inputs} features, but got {len(features)}.')
        levels, x = list(features[: self.passed]), features[-1]
        for extra_level in self.extra_levels:
            x = extra_level(x)
            levels.append(x)
        return tuple(levels)
