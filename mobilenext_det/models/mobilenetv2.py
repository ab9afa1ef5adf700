"""MobileNetV2 (1801.04381) with the tap that SSDLite wants: the baseline MobileNeXt is held against."""

from __future__ import annotations

from typing import Any

from mmdet.models.backbones import MobileNetV2
from mmdet.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class TappedMobileNetV2(MobileNetV2):
    """mmdet's MobileNetV2 as SSDLite taps it: C4 at stride 16 and C5, the 1280-channel layer, at stride 32.

    Args:
        tap: Where C4 leaves the network. 'block' is the 96-channel output of the last stage at stride 16, as in the
            published comparison with MobileNeXt; 'expansion' the 576-channel expansion inside the next stage's first
            block, as in the MobileNetV2 paper (section 6.2) and as MobileNeXt is tapped.
        kwargs: Arguments of mmdet's `MobileNetV2`, except `out_indices`.

    Raises:
        ValueError: For any other tap.
    """

    def __init__(self, tap: str = 'block', **kwargs: Any) -> None:
        if tap not in ('block', 'expansion'):
            raise ValueError(f"tap must be 'block' or 'expansion', but is {tap!r}.")
        super().__init__(out_indices=(4, 7), **kwargs)
        self.tap = tap
        block = self.layer5[-1].linear_conv if tap == 'block' else self.layer6[0].expand_conv
        self.feature_info = [
            dict(channels=block.conv.out_channels, stride=16, tap=tap),
            dict(channels=self.out_channel, stride=32, tap='block'),
        ]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (N, 3, H, W) to C4 (N, channels, H / 16, W / 16) and C5 (N, channels, H / 32, W / 32)."""
        for name in ('conv1', *self.layers[:5]):
            x = getattr(self, name)(x)
        first, rest = self.layer6[0], self.layer6[1:]
        expansion = first.expand_conv(x)
        c4 = x if self.tap == 'block' else expansion
        # The block changes the stride, so it has no shortcut to add.
        x = rest(first.linear_conv(first.depthwise_conv(expansion)))
        return c4, self.conv2(self.layer7(x))

    def train(self, mode: bool = True) -> TappedMobileNetV2:
        """Set the mode and return the module, as PyTorch does and mmdet's own `train`, and so its `eval`, does not."""
        super().train(mode)
        return self
