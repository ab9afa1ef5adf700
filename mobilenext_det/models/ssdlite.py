"""The SSDLite detector: its parts ask one another for their channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmdet.models.detectors import SingleStageDetector
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from torch.nn.modules.batchnorm import _BatchNorm

from mobilenext_det.errors import UsageError

from .features import Feature, backbone_features
from .priors import SSDLitePriorGenerator

STRIDES = (8, 16, 32, 32)  # of C3, C4, C5 and, if it is another one than C5, the feature that the extra levels read


@MODELS.register_module()
class SSDLite(SingleStageDetector):
    """mmdet's `SingleStageDetector` whose config need not repeat channels.

    The neck's `in_channels` are those of the backbone's outputs (see `backbone_features`), the head's are the neck's
    `out_channels`. So a width or a tap is one setting of the backbone, and any backbone of mmdet's fits that gives
    features at strides 16 and 32 (docs/backbones.md). Weights and computation are those of `SingleStageDetector`, which
    builds the same network where `in_channels` are set.

    Args:
        backbone: The backbone; `SSDLiteNeck` takes two or three features of it.
        neck: The neck; `in_channels` may be left out.
        bbox_head: The head; `in_channels` may be left out, if the neck has a sequence `out_channels`.
        train_cfg: Settings of the head in training.
        test_cfg: Settings of the head in testing.
        data_preprocessor: What batches go through first.
        init_cfg: Initialisation of the whole.
        norm_eval: Keep all batch norm in evaluation mode while training, as batches of one image need it.

    Raises:
        UsageError: If `in_channels` are set and do not fit, or if the priors are not for the features' strides.
    """

    def __init__(
        self,
        backbone: ConfigDict,
        neck: ConfigDict,
        bbox_head: ConfigDict,
        train_cfg: ConfigDict | None = None,
        test_cfg: ConfigDict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
        norm_eval: bool = False,
    ) -> None:
        # Past SingleStageDetector's own, which builds all of the parts before any can be asked.
        super(SingleStageDetector, self).__init__(data_preprocessor, init_cfg)
        self.train_cfg, self.test_cfg, self.norm_eval = train_cfg, test_cfg, norm_eval
        self.backbone = MODELS.build(backbone)
        features = backbone_features(self.backbone)
        channels = tuple(feature.channels for feature in features)
        self.neck = MODELS.build(_with_channels('neck', neck, channels, self.backbone))
        bbox_head = ConfigDict(bbox_head, train_cfg=train_cfg, test_cfg=test_cfg)
        levels = getattr(self.neck, 'out_channels', None)
        self.bbox_head = MODELS.build(_with_channels('bbox_head', bbox_head, levels, self.neck))
        if isinstance(getattr(self.bbox_head, 'prior_generator', None), SSDLitePriorGenerator):
            self._check_strides(features)

    def train(self, mode: bool = True) -> SSDLite:
        """Set the mode; with `norm_eval`, batch norm stays in evaluation mode."""
        super().train(mode)
        for module in self.modules():
            if self.norm_eval and isinstance(module, _BatchNorm):
                module.eval()
        return self

    def _check_strides(self, features: Sequence[Feature]) -> None:
        strides, passed = tuple(feature.stride for feature in features), getattr(self.neck, 'passed', 2)
        wanted = STRIDES[3 - passed :]
        if strides not in (wanted[:-1], wanted):
            raise UsageError(
                f"SSDLite's priors are for features at strides {wanted[:-1]}, or {wanted}, but those of "
                f"{type(self.backbone).__name__} have strides {strides}: choose others by the backbone's out_indices."
            )


def _with_channels(name: str, part: ConfigDict, channels: Any, source: object) -> ConfigDict:
    """Return the settings of a part of the detector with the channels that it gets.

    Args:
        name: Name of the part.
        part: Its settings.
        channels: What it gets, of each feature; anything but a sequence says nothing.
        source: What gives it these.

    Raises:
        UsageError: If other channels are set.
    """
    if not isinstance(channels, Sequence):
        return part
    given = part.get('in_channels')
    if given is None:
        return ConfigDict(part, in_channels=channels)
    if isinstance(given, Sequence) and tuple(given) != tuple(channels):
        raise UsageError(
            f'model.{name}.in_channels is {tuple(given)}, but {type(source).__name__} gives {tuple(channels)}: '
            'leave in_channels out, or set it to these.'
        )
    return part
