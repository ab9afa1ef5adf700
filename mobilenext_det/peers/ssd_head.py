"""MMDetection's SSD head, made to predict."""

from __future__ import annotations

from mmdet.models.dense_heads import SSDHead
from mmdet.registry import MODELS


@MODELS.register_module()
class PredictingSSDHead(SSDHead):
    """mmdet's `SSDHead`, whose `predict` asks for a `loss_cls` that it has not (mmdetection#11780, #11305)."""

    loss_cls = None
