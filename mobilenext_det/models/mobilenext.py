"""MobileNeXt, table 2 of "Rethinking Bottleneck Structure for Efficient Mobile Network Design" (2007.02269)."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mmcv.cnn import ConvModule
from mmdet.models.utils import make_divisible
from mmdet.registry import MODELS
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .sandglass import SandglassBlock
from .total_stride import reduce_stride
from .zero_init import ZeroInitResidual

# Reduction ratio t, channels c, blocks n, stride s of the first block. Version 1 of the paper prints n = 2 in the
# 960-channel row; the author calls that a typing error.
STAGES = (
    (2, 96, 1, 2),
    (6, 144, 1, 1),
    (6, 192, 3, 2),
    (6, 288, 3, 2),
    (6, 384, 4, 1),
    (6, 576, 4, 2),
    (6, 960, 3, 1),
    (6, 1280, 1, 1),
)
TAPS = ('block', 'expansion')


def stage_channels(widen_factor: float) -> tuple[int, ...]:
    """Return the output channels of the eight stages: multiples of 8, the last one never under 1280 (released code)."""
    channels = [make_divisible(c * widen_factor, 8) for _, c, _, _ in STAGES]
    channels[-1] = max(channels[-1], STAGES[-1][1])
    return tuple(channels)


def stage_stride(stage: int, tap: str = 'block') -> int:
    """Return the stride, relative to the image, of a stage's output or of its first expansion."""
    strides = [s for _, _, _, s in STAGES]
    return 2 * math.prod(strides[: stage + (tap == 'block')])


def _check_arguments(widen_factor: float, out_indices: Sequence[int], taps: Sequence[str], frozen_stages: int) -> None:
    """Raise `ValueError`, naming the value, if the network, a stage or a tap does not exist."""
    if not widen_factor > 0:
        raise ValueError(f'widen_factor must be more than 0, but is {widen_factor}.')
    if not out_indices or not set(out_indices) <= set(range(len(STAGES))):
        raise ValueError(f'out_indices must name stages 0 to 7, but is {tuple(out_indices)}.')
    if len(taps) != len(out_indices) or not set(taps) <= set(TAPS):
        raise ValueError(
            f'taps must be one of {TAPS}, or one of them for each of {len(out_indices)} outputs, but is {taps}.'
        )
    outputs = list(zip(out_indices, taps, strict=True))
    if len(set(outputs)) < len(outputs):
        raise ValueError(f'out_indices and taps must name each output once, but are {outputs}.')
    for stage, tap in outputs:
        if tap == 'expansion' and stage in (4, 6):
            raise ValueError(
                f"stage {stage} cannot be tapped at 'expansion': its first block has no depthwise convolution after "
                "it; use 'block'."
            )
    if frozen_stages not in range(-1, len(STAGES)):
        raise ValueError(f'frozen_stages must be -1 to 7, but is {frozen_stages}.')


def _make_stage(in_channels: int, out_channels: int, settings: tuple[int, int, int, int], block: dict) -> nn.Sequential:
    """Stack the blocks of one stage; only the first changes width and stride."""
    ratio, _, depth, stride = settings
    block = dict(block, out_channels=out_channels, reduction_ratio=ratio)
    first = dict(block, in_channels=in_channels, stride=stride, keep_depthwise=depth == 1 and stride == 1)
    others = [dict(block, in_channels=out_channels)] * (depth - 1)
    return nn.Sequential(*(MODELS.build(cfg) for cfg in (first, *others)))


@MODELS.register_module()
class MobileNeXt(ZeroInitResidual):
    """MobileNeXt backbone: a stem and eight stages of sandglass blocks at strides 4, 4, 8, 16, 16, 32, 32, 32.

    Stages after the last one that is tapped are not built. `feature_info` lists `channels` and `stride` of each
    output, with the `stage` and `tap` it comes from, so that a neck needs no guessing.

    Args:
        widen_factor: Width multiplier; the authors trained 0.35, 0.5, 0.75, 1.0 and 1.4.
        out_indices: Stage (0 to 7) of each output, in the order wanted; a stage may occur once per tap. The default is
            a pyramid at strides 4, 8, 16, 32.
        taps: Where each output leaves its stage, one for all or one each: 'block' is the stage's output, 'expansion'
            the activation after the expansion of the stage's first block, before its last depthwise convolution: still
            at the stride that enters the stage. SSDLite uses (5, 'expansion'), (7, 'expansion'), (7, 'block').
        identity_multiplier: See `SandglassBlock`.
        se_cfg: See `SandglassBlock`.
        frozen_stages: Freeze the stem and stages 0 to this one; -1 freezes nothing.
        norm_eval: Keep batch norm in evaluation mode while training.
        conv_cfg: Convolution layer.
        norm_cfg: Normalisation layer. PyTorch's own defaults (eps 1e-5, momentum 0.1), as the authors use.
        act_cfg: Activation layer.
        with_cp: See `SandglassBlock`.
        block_cfg: Type of the blocks, and its own arguments, for the ablations in `sandglass_ablations.py`.
        zero_init_residual: Start blocks that have a shortcut as the identity, by a zero scale in their last batch norm
            (as in mmdet's ResNet), which is meant for training from scratch; the authors do not do it.
        total_stride: 32, or 16 or 8 for small images: the stem, and for 8 the first stage too, then keep their input's
            size. The weights are the same.
        init_cfg: Initialisation. The default is the authors': N(0, sqrt(2 / (k * k * out))) for convolutions. For a
            checkpoint, `dict(type='Pretrained', checkpoint=FILE, prefix='backbone.')`.

    Raises:
        ValueError: If `widen_factor` is not positive, a stage, a tap, `frozen_stages` or `total_stride` does not exist,
            or an output is named twice; the message names the value.

    Examples:
        >>> import torch
        >>> from mobilenext_det.models import MobileNeXt
        >>> [tuple(f.shape) for f in MobileNeXt()(torch.rand(1, 3, 64, 64))]
        [(1, 144, 16, 16), (1, 192, 8, 8), (1, 384, 4, 4), (1, 1280, 2, 2)]
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        out_indices: Sequence[int] = (1, 2, 4, 7),
        taps: str | Sequence[str] = 'block',
        identity_multiplier: float = 1.0,
        se_cfg: dict | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        conv_cfg: dict | None = None,
        norm_cfg: dict = dict(type='BN'),
        act_cfg: dict = dict(type='ReLU6'),
        with_cp: bool = False,
        block_cfg: dict = dict(type=SandglassBlock),
        zero_init_residual: bool = False,
        total_stride: int = 32,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        if init_cfg is None:
            init_cfg = [
                dict(type='Kaiming', layer='Conv2d', mode='fan_out', nonlinearity='relu', distribution='normal'),
                dict(type='Constant', layer=['_BatchNorm', 'GroupNorm'], val=1),
            ]
        super().__init__(init_cfg)
        taps = (taps,) * len(out_indices) if isinstance(taps, str) else tuple(taps)
        _check_arguments(widen_factor, out_indices, taps, frozen_stages)
        self.outputs = tuple(zip(out_indices, taps, strict=True))
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.zero_init_residual = zero_init_residual

        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        block = dict(block_cfg, identity_multiplier=identity_multiplier, se_cfg=se_cfg, with_cp=with_cp, **layers)
        channels = (make_divisible(32 * widen_factor, 8), *stage_channels(widen_factor))
        self.stem = ConvModule(3, channels[0], 3, stride=2, padding=1, **layers)
        self.stages = nn.ModuleList(
            _make_stage(channels[stage], channels[stage + 1], STAGES[stage], block)
            for stage in range(max(out_indices) + 1)
        )
        self.feature_info = [
            dict(channels=channels[stage + 1], stride=stage_stride(stage, tap), stage=stage, tap=tap)
            for stage, tap in self.outputs
        ]
        reduce_stride(self, total_stride)
        self._freeze()

    def _freeze(self) -> None:
        """Stop the gradients of the frozen part and keep its batch norm in evaluation mode."""
        if self.frozen_stages < 0:
            return
        for module in (self.stem, *self.stages[: self.frozen_stages + 1]):
            module.eval()
            module.requires_grad_(False)

    def train(self, mode: bool = True) -> MobileNeXt:
        """Set the mode; the frozen part (and, with `norm_eval`, all batch norm) stays in evaluation mode."""
        super().train(mode)
        self._freeze()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map images (N, 3, H, W) to one feature (N, channels, H / stride, W / stride) per entry of `feature_info`."""
        x = self.stem(x)
        features = {}
        for index, stage in enumerate(self.stages):
            expansion, x = stage[0].forward_with_expansion(x)  # type: ignore[index]  # torch: a list of any modules
            x = stage[1:](x)  # type: ignore[index]
            # Only what is asked for is kept: an expansion is the largest activation of its stage.
            for tap, feature in (('expansion', expansion), ('block', x)):
                if (index, tap) in self.outputs:
                    features[index, tap] = feature
        return tuple(features[output] for output in self.outputs)
