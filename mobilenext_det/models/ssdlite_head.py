"""The SSDLite head: depthwise separable predictors, and detections as the SSD recipe makes them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.models.dense_heads import SSDHead
from mmdet.models.losses import CIoULoss, DIoULoss, EIoULoss, GIoULoss, IoULoss, SIoULoss, smooth_l1_loss
from mmdet.registry import MODELS
from mmdet.structures.bbox import scale_boxes
from mmengine.config import ConfigDict
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mobilenext_det.errors import UsageError

from .assigner import NO_OBJECT
from .features import require_channels
from .suppression import best_of_each_object

EMPTY_AS_POSITIVES = 8
"""An image without objects teaches as many hard negatives as one with this many positives."""
IOU_LOSSES = (IoULoss, GIoULoss, DIoULoss, CIoULoss, EIoULoss, SIoULoss)  # those that give one number a box


@MODELS.register_module()
class SSDLiteHead(SSDHead):
    """mmdet's `SSDHead` with SSDLite's predictors, which can predict.

    Each level has one predictor for classes and one for boxes: dw3x3(with bias)-BN-act-1x1, and a plain 1x1 on the
    last level, whose map is one cell (MobileNetV2 paper, section 6.2, and the MobileNeXt authors' released code; stock
    `use_depthwise` puts a depthwise layer there too).

    Stock `SSDHead` raises in `predict` for want of `loss_cls` (mmdetection#11780, #11305, #11063) and cuts to the best
    1000 candidates of each level; here every prior above `test_cfg.score_thr` takes part, classes are suppressed apart
    by torchvision's NMS (so that a GPU needs no mmcv compiled for it), the best `test_cfg.max_per_img` stay, and boxes
    are not clipped to the image.

    Args:
        num_classes: Number of classes without the background.
        in_channels: Channels of each level. `SSDLite` sets them.
        conv_cfg: Convolution layer.
        norm_cfg: Normalisation layer.
        act_cfg: Activation layer.
        anchor_generator: Priors.
        bbox_coder: Coding of boxes against priors; the default has SSD's variances 0.1 and 0.2.
        loss_bbox: One of mmdet's losses over the IoU of decoded boxes, such as `dict(type='CIoULoss')`; the default is
            SSD's, smooth L1 over coded boxes.
        train_cfg: `assigner`, one for whole batches such as `BatchMaxIoUAssigner`, `neg_pos_ratio` and `smoothl1_beta`.
        test_cfg: `score_thr`, `nms.iou_threshold` and `max_per_img`.
        init_cfg: Initialisation; the default is Xavier, uniform, with zero biases.

    Raises:
        UsageError: Without `in_channels`.
        TypeError: For an assigner of single images, or for another kind of loss.
    """

    def __init__(
        self,
        num_classes: int = 20,
        in_channels: Sequence[int] | None = None,
        conv_cfg: dict | None = None,
        norm_cfg: dict = dict(type='BN'),
        act_cfg: dict = dict(type='ReLU6'),
        anchor_generator: dict = dict(type='SSDLitePriorGenerator'),
        bbox_coder: dict = dict(
            type='DeltaXYWHBBoxCoder',
            target_means=(0.0, 0.0, 0.0, 0.0),
            target_stds=(0.1, 0.1, 0.2, 0.2),
            clip_border=False,
        ),
        loss_bbox: dict | None = None,
        train_cfg: dict | None = None,
        test_cfg: dict | None = None,
        init_cfg: dict | list[dict] = dict(type='Xavier', layer='Conv2d', distribution='uniform', bias=0),
    ) -> None:
        super().__init__(
            num_classes=num_classes,
            in_channels=require_channels(in_channels, self),
            conv_cfg=conv_cfg,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            anchor_generator=anchor_generator,
            bbox_coder=bbox_coder,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            init_cfg=init_cfg,
        )
        if train_cfg is not None and not hasattr(self.assigner, 'assign_batch'):
            raise TypeError(
                f'SSDLiteHead matches whole batches, which {type(self.assigner).__name__} cannot: '
                "let train_cfg.assigner be dict(type='BatchMaxIoUAssigner') or dict(type='BatchATSSAssigner')."
            )
        self.loss_bbox = None if loss_bbox is None else MODELS.build(loss_bbox)
        if loss_bbox is not None and not isinstance(self.loss_bbox, IOU_LOSSES):
            raise TypeError(
                f'loss_bbox is {type(self.loss_bbox).__name__}, which is not over the IoU of boxes: let it be one of '
                f'{", ".join(loss.__name__ for loss in IOU_LOSSES)}, or None for smooth L1.'
            )

    def _init_layers(self) -> None:
        """Build one predictor a level for classes (background last) and one for boxes."""
        last = len(self.in_channels) - 1
        self.cls_convs, self.reg_convs = nn.ModuleList(), nn.ModuleList()
        for level, (channels, priors) in enumerate(zip(self.in_channels, self.num_base_priors, strict=True)):
            self.cls_convs.append(self._predictor(channels, priors * self.cls_out_channels, plain=level == last))
            self.reg_convs.append(self._predictor(channels, priors * 4, plain=level == last))

    def _predictor(self, channels: int, outputs: int, plain: bool) -> nn.Sequential:
        """Return the layers that map (N, channels, H, W) to (N, outputs, H, W)."""
        point = nn.Conv2d(channels, outputs, 1)
        if plain:
            return nn.Sequential(point)
        layers = dict(conv_cfg=self.conv_cfg, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        return nn.Sequential(ConvModule(channels, channels, 3, padding=1, groups=channels, bias=True, **layers), point)

    def forward(self, x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return the raw outputs of each level, in float32.

        Class scores are (N, priors * (classes + 1), H, W), box deltas (N, priors * 4, H, W). Losses and NMS need
        float32 (torchvision's NMS has no bfloat16), whatever type autocast chose before.
        """
        scores, deltas = super().forward(x)
        return [s.float() for s in scores], [d.float() for d in deltas]

    def loss_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        batch_gt_instances: list[InstanceData],
        batch_img_metas: list[dict],
        batch_gt_instances_ignore: list[InstanceData] | None = None,
    ) -> dict[str, Tensor]:
        """Compute SSD's loss for the whole batch at once; `SSDHead` computes the same image by image.

        All shapes follow from the arguments' shapes, so that a GPU is never waited for, unless the assigner does so.

        Args:
            cls_scores: Class scores of each level, (N, priors * (classes + 1), H, W).
            bbox_preds: Box deltas of each level, (N, priors * 4, H, W).
            batch_gt_instances: `bboxes` (k, 4) as (x1, y1, x2, y2) in pixels and `labels` (k,) of each image.
            batch_img_metas: `img_shape` and `pad_shape` of each image.
            batch_gt_instances_ignore: Not used; SSD leaves such objects out of the data.

        Returns:
            `loss_cls`: cross entropy over the positives and, in each image, the hardest negatives, `neg_pos_ratio` for
            each positive; `loss_bbox`: smooth L1, or the loss over the IoU, of the positives. Both are sums over the
            batch, divided by its positives. Images without objects leave that as it is, and add to `loss_cls` the
            cross entropy of their own hardest negatives, `EMPTY_AS_POSITIVES` being taken for their positives;
            `SSDHead` mines none there and counts each as a positive (caffe-ssd#146, mmdetection#10666).
        """
        levels = self._priors(cls_scores)
        objects, labels = _padded(batch_gt_instances)
        assigned = self.assigner.assign_batch(levels, objects, labels != NO_OBJECT)
        positive = assigned != NO_OBJECT
        assigned = assigned.clamp(min=0)  # whatever negatives get is masked
        positives_of = positive.sum(1, keepdim=True)  # 0 only where there is no object: each has its best prior
        num_positives = positives_of.sum().clamp(min=1)

        classes = torch.where(positive, labels.gather(1, assigned), self.num_classes)
        scores = flatten_levels(cls_scores, self.cls_out_channels)
        losses = F.cross_entropy(scores.flatten(0, 1), classes.flatten(), reduction='none').view_as(assigned)
        rank = losses.detach().masked_fill(positive, -1).argsort(1, descending=True).argsort(1)
        empty = positives_of == 0
        counted = positive | (rank < self.train_cfg.neg_pos_ratio * positives_of)
        background = empty & (rank < self.train_cfg.neg_pos_ratio * EMPTY_AS_POSITIVES)
        # Weighed like the other images' negatives where these have many positives, and bounded where they have few.
        weight = positives_of.sum() + EMPTY_AS_POSITIVES * empty.sum()
        loss_cls = losses.where(counted, 0).sum() / num_positives + losses.where(background, 0).sum() / weight

        priors, positive = torch.cat(levels).expand(len(assigned), -1, -1), positive[..., None]
        boxes = objects.gather(1, assigned[..., None].expand(-1, -1, 4)).where(positive, priors)
        loss_bbox = self._box_loss(flatten_levels(bbox_preds, 4), boxes, priors, positive, num_positives)
        return dict(loss_cls=loss_cls, loss_bbox=loss_bbox)

    def _box_loss(
        self, deltas: Tensor, boxes: Tensor, priors: Tensor, positive: Tensor, num_positives: Tensor
    ) -> Tensor:
        """Compare predicted boxes with their targets.

        Args:
            deltas: Predicted box deltas (N, P, 4).
            boxes: Ground truth of each positive (N, P, 4), as (x1, y1, x2, y2) in pixels; of a negative, its prior.
            priors: (N, P, 4), likewise.
            positive: (N, P, 1), whether the prior is assigned to an object.
            num_positives: What the sum over the positives is divided by.
        """
        priors, boxes = priors.flatten(0, 1), boxes.flatten(0, 1)
        if self.loss_bbox is None:
            targets = self.bbox_coder.encode(priors, boxes).view_as(deltas)
            beta = self.train_cfg.smoothl1_beta
            return smooth_l1_loss(deltas, targets, positive, beta=beta, avg_factor=num_positives)
        # Negatives are masked where they go in: a gradient that is NaN would stay so times zero. No weights are given,
        # as mmdet's losses wait for the device to tell whether all of them are zero.
        predicted = self.bbox_coder.decode(priors, deltas.where(positive, 0).flatten(0, 1))
        losses = self.loss_bbox(predicted, boxes, reduction_override='none')
        return losses.where(positive.flatten(), 0).sum() / num_positives

    def _priors(self, cls_scores: list[Tensor]) -> list[Tensor]:
        """Priors of each level, (p, 4): the same for every image, as all have the size that the priors are for."""
        maps = [s.shape[-2:] for s in cls_scores]
        return self.prior_generator.grid_priors(maps, device=cls_scores[0].device)

    def predict_by_feat(
        self,
        cls_scores: list[Tensor],
        bbox_preds: list[Tensor],
        batch_img_metas: list[dict],
        cfg: ConfigDict | None = None,
        rescale: bool = False,
        with_nms: bool = True,
    ) -> list[InstanceData]:
        """Turn the head's outputs into detections.

        Args:
            cls_scores: Class scores of each level, (N, priors * (classes + 1), H, W).
            bbox_preds: Box deltas of each level, (N, priors * 4, H, W).
            batch_img_metas: `scale_factor` (w, h) of each image, needed with `rescale`.
            cfg: Replaces `test_cfg`.
            rescale: Give boxes in pixels of the original image instead of the network's input.
            with_nms: Suppress overlapping boxes of a class and keep the best `max_per_img`; otherwise every candidate
                stays.

        Returns:
            One `InstanceData` an image: `bboxes` (k, 4) as (x1, y1, x2, y2), `scores` (k,) and `labels` (k,), best
            first.
        """
        cfg = self.test_cfg if cfg is None else cfg
        priors = torch.cat(self._priors(cls_scores))
        # Foreground classes come first; the last score is the background's.
        scores = flatten_levels(cls_scores, self.cls_out_channels).softmax(-1)[..., :-1]
        deltas = flatten_levels(bbox_preds, 4)
        results = []
        for image_scores, image_deltas, meta in zip(scores, deltas, batch_img_metas, strict=True):
            index, labels = (image_scores > cfg.score_thr).nonzero(as_tuple=True)
            result = InstanceData(
                bboxes=self.bbox_coder.decode(priors[index], image_deltas[index]),
                scores=image_scores[index, labels],
                labels=labels,
            )
            if with_nms:
                kept = best_of_each_object(result.bboxes, result.scores, labels, cfg.nms.iou_threshold, cfg.max_per_img)
                result = result[kept]
            else:
                result = result[result.scores.argsort(descending=True)]
            if rescale:
                if 'scale_factor' not in meta:
                    raise UsageError("Boxes cannot be scaled back: let meta_keys of PackDetInputs have 'scale_factor'.")
                result.bboxes = scale_boxes(result.bboxes, [1 / factor for factor in meta['scale_factor']])
            results.append(result)
        return results


def flatten_levels(outputs: Sequence[Tensor], channels: int) -> Tensor:
    """Join levels (N, priors * channels, H, W) into (N, all priors, channels), in the order of the priors."""
    return torch.cat([o.permute(0, 2, 3, 1).reshape(o.shape[0], -1, channels) for o in outputs], dim=1)


def _padded(instances: Sequence[InstanceData]) -> tuple[Tensor, Tensor]:
    """Put the objects of all images into one tensor, one place more than any image needs.

    Returns:
        Boxes (N, G, 4), and labels (N, G), `NO_OBJECT` where there is no object.
    """
    boxes = pad_sequence([image.bboxes for image in instances], batch_first=True)
    labels = pad_sequence([image.labels for image in instances], batch_first=True, padding_value=NO_OBJECT)
    return F.pad(boxes, (0, 0, 0, 1)), F.pad(labels, (0, 1), value=NO_OBJECT)
