"""Sandglass blocks with one decision of the article reversed (section 3.2 of 2007.02269, and its ablations).

Each is a `block_cfg` of `MobileNeXt`; everything else of the network stays. Accuracies are not quoted: those that the
article prints are for image classification, and no copy of its tables was at hand to check them against.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from torch import Tensor, nn

from .sandglass import SandglassBlock

LAYERS = ('depthwise_in', 'reduce', 'expand', 'depthwise_out')


def _rebuild(layer: ConvModule, act_cfg: dict | None) -> ConvModule:
    """Return a new layer of the same form with another activation, or none."""
    return ConvModule(
        layer.in_channels,
        layer.out_channels,
        layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        groups=layer.groups,
        conv_cfg=layer.conv_cfg,
        norm_cfg=layer.norm_cfg,
        act_cfg=act_cfg,
    )


@MODELS.register_module()
class ActivationSandglassBlock(SandglassBlock):
    """A sandglass block with its activations elsewhere.

    The article's block has them after the first depthwise convolution and the expansion. It keeps the reduction linear
    because an activation on few channels loses information (as MobileNetV2 does), and the last depthwise convolution
    because an activation there was seen to hurt. A layer that a block does not have needs none.

    Args:
        act_after: The layers that an activation follows, of `LAYERS`.
        act_cfg: Activation layer.
        kwargs: Arguments of `SandglassBlock`.

    Raises:
        ValueError: For a layer that is not one of `LAYERS`.
    """

    def __init__(
        self,
        *,
        act_after: Sequence[str] = ('depthwise_in', 'expand'),
        act_cfg: dict = dict(type='ReLU6'),
        **kwargs: Any,
    ) -> None:
        super().__init__(act_cfg=act_cfg, **kwargs)
        if not set(act_after) <= set(LAYERS):
            raise ValueError(f'act_after must name layers of {LAYERS}, but is {tuple(act_after)}.')
        self.act_after = tuple(act_after)
        for name in LAYERS:
            layer = getattr(self, name)
            if isinstance(layer, ConvModule):
                setattr(self, name, _rebuild(layer, act_cfg if name in act_after else None))

    @property
    def residual_norm(self) -> nn.Module:
        """The normalisation that ends the residual branch.

        Raises:
            ValueError: If an activation follows it: started at zero, nothing would come back through it.
        """
        if 'depthwise_out' in self.act_after:
            raise ValueError(
                'zero_init_residual would stop the gradient of a residual branch that ends in an activation: leave '
                f"'depthwise_out' out of act_after, which is {self.act_after}, or set zero_init_residual=False."
            )
        return super().residual_norm


@MODELS.register_module()
class NarrowDepthwiseSandglassBlock(SandglassBlock):
    """A sandglass block with its depthwise convolutions in the bottleneck, as a classic residual bottleneck has them.

    The order is 1x1 reduce-BN, dw3x3-BN-act, dw3x3-BN-act, 1x1 expand-BN: as many layers and activations as before, and
    a linear end. Blocks of stride 2 are left as they are: were their stride in front of the expansion, that could not
    be tapped at the stride that enters the stage; blocks without depthwise convolutions have none to move. The
    expansion of a block that was changed is its residual branch's output.

    Args:
        kwargs: Arguments of `SandglassBlock`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_narrow = isinstance(self.depthwise_in, ConvModule) and self.depthwise_out.stride == (1, 1)
        if self.is_narrow:
            channels, act_cfg = self.reduce.out_channels, self.expand.act_cfg
            form = dict(kernel_size=3, padding=1, groups=channels)
            layers = dict(conv_cfg=self.reduce.conv_cfg, norm_cfg=self.reduce.norm_cfg, act_cfg=act_cfg)
            self.depthwise_in = ConvModule(channels, channels, **form, **layers)
            self.depthwise_out = ConvModule(channels, channels, **form, **layers)
            self.expand = _rebuild(self.expand, None)

    @property
    def residual_norm(self) -> nn.Module:
        """The normalisation that ends the residual branch: only blocks that were changed have a shortcut."""
        return self.expand.norm

    def _forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if not self.is_narrow:
            return super()._forward(x)
        expansion = self.expand(self.depthwise_out(self.depthwise_in(self.reduce(x))))
        return expansion, self.add_identity(self.se(expansion), x)
