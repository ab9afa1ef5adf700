"""MobileNetV2 (1801.04381) with the tap that SSDLite wants: the baseline MobileNeXt is held against."""

from __future__ import annotations

from typing import Any

from mmcv.cnn import ConvModule
from mmdet.models.backbones import MobileNetV2
from mmdet.models.layers import InvertedResidual
from mmdet.registry import MODELS
from torch import Tensor, nn

from .replace_blocks import replace_blocks
from .total_stride import reduce_stride
from .zero_init import ZeroInitResidual

BLOCKS = ('inverted_residual', 'extra_depthwise', 'sandglass')


def add_depthwise(block: InvertedResidual) -> None:
    """Put another dw3x3-BN-act between the expansion and the depthwise convolution, which keeps the stride."""
    last = block.depthwise_conv
    first = ConvModule(
        last.in_channels,
        last.in_channels,
        3,
        padding=1,
        groups=last.in_channels,
        conv_cfg=last.conv_cfg,
        norm_cfg=last.norm_cfg,
        act_cfg=last.act_cfg,
    )
    block.depthwise_conv = nn.Sequential(first, last)


@MODELS.register_module()
class TappedMobileNetV2(ZeroInitResidual, MobileNetV2):
    """mmdet's MobileNetV2 as SSDLite taps it: C4 at stride 16 and C5, the 1280-channel layer, at stride 32.

    `feature_info` lists `channels` and `stride` of each output, with the `stage` (mmdet's index: 4 is the 96-channel
    stage, 7 the 1280-channel layer) and `tap` it comes from. Weights with torchvision's names are understood:
    `init_cfg=dict(type='Pretrained', checkpoint='torchvision://mobilenet_v2')`.

    Args:
        tap: Where C4 leaves the network. 'block' is the 96-channel output of the last stage at stride 16, as in the
            published comparison with MobileNeXt; 'expansion' the 576-channel expansion inside the next stage's first
            block, as in the MobileNetV2 paper (section 6.2) and as MobileNeXt is tapped.
        block: 'inverted_residual' is MobileNetV2. 'extra_depthwise' has two depthwise convolutions in each block, as
            a sandglass block has, both on its wide side: the article's control for their number. 'sandglass' has its
            blocks replaced, see `replace_blocks`; the expansion then has 160 channels.
        zero_init_residual: As in `MobileNeXt`.
        total_stride: As in `MobileNeXt`; 8 takes the stride out of the first convolution and of the 24-channel stage.
        kwargs: Arguments of mmdet's `MobileNetV2`, except `out_indices`.

    Raises:
        ValueError: For any other tap, block or total stride, and if `widen_factor` is not positive.
    """

    def __init__(
        self,
        tap: str = 'block',
        block: str = 'inverted_residual',
        zero_init_residual: bool = False,
        total_stride: int = 32,
        **kwargs: Any,
    ) -> None:
        if tap not in ('block', 'expansion'):
            raise ValueError(f"tap must be 'block' or 'expansion', but is {tap!r}.")
        if block not in BLOCKS:
            raise ValueError(f'block must be one of {BLOCKS}, but is {block!r}.')
        if not kwargs.get('widen_factor', 1) > 0:
            raise ValueError(f'widen_factor must be more than 0, but is {kwargs["widen_factor"]}.')
        super().__init__(out_indices=(4, 7), **kwargs)
        self.tap = tap
        self.zero_init_residual = zero_init_residual
        narrow, wide = self.layer6[0].expand_conv.in_channels, self.layer6[0].expand_conv.out_channels
        if block == 'extra_depthwise':
            for module in list(self.modules()):
                if isinstance(module, InvertedResidual):
                    add_depthwise(module)
        elif block == 'sandglass':
            replace_blocks(self)
            wide = self.layer6[0].expand.out_channels
        self.feature_info = [
            dict(channels=narrow, stride=16, stage=4, tap=tap)
            if tap == 'block'
            else dict(channels=wide, stride=16, stage=5, tap=tap),
            dict(channels=self.out_channel, stride=32, stage=7, tap='block'),
        ]
        reduce_stride(self, total_stride)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images (N, 3, H, W) to C4 and C5, (N, channels, H / stride, W / stride) each: see `feature_info`."""
        for name in ('conv1', *self.layers[:5]):
            x = getattr(self, name)(x)
        expansion, out = self._first_of_stage_5(x)
        c4 = x if self.tap == 'block' else expansion
        return c4, self.conv2(self.layer7(self.layer6[1:](out)))

    def _first_of_stage_5(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the expansion and the output of the block that leads from stride 16 to 32."""
        block = self.layer6[0]
        if not isinstance(block, InvertedResidual):
            return block.forward_with_expansion(x)
        expansion = block.expand_conv(x)
        # The block changes the stride, so it has no shortcut to add.
        return expansion, block.linear_conv(block.depthwise_conv(expansion))

    def train(self, mode: bool = True) -> TappedMobileNetV2:
        """Set the mode and return the module, as PyTorch does and mmdet's own `train`, and so its `eval`, does not."""
        super().train(mode)
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        """Give torchvision's weights (features.*, classifier.*) the names used here; both have the same order."""
        theirs = [key for key in state_dict if key.startswith(f'{prefix}features.')]
        if theirs:
            # Files may lack the counters of batches, which nothing reads.
            ours, weights = ([key for key in keys if 'num_batches' not in key] for keys in (self.state_dict(), theirs))
            if len(weights) != len(ours):
                raise ValueError(
                    f"The weights are {len(weights)} tensors of torchvision's MobileNetV2, but this backbone has "
                    f"{len(ours)}: they fit block='inverted_residual' only."
                )
            state_dict.update({prefix + name: state_dict[key] for name, key in zip(ours, weights, strict=True)})
            classifier = [key for key in state_dict if key.startswith(f'{prefix}classifier.')]
            for key in theirs + classifier:
                del state_dict[key]
        super()._load_from_state_dict(state_dict, prefix, *args)
