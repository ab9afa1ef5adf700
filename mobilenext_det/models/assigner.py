"""Which object each prior has to find."""

from __future__ import annotations

import torch
from mmdet.models.task_modules import MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor

BACKGROUND = -1  # what a prior without an object has to find


@TASK_UTILS.register_module()
class BatchMaxIoUAssigner(MaxIoUAssigner):
    """SSD's matching by mmdet's `MaxIoUAssigner`, for all images of a batch at once.

    A prior finds the object that it overlaps most, if their IoU reaches the threshold; and every object's best prior
    finds that object whatever the IoU, the last one where several objects share it. mmdet asks the device for the IoU
    of one object after another, so that a GPU waits for the CPU; nothing is asked here.

    Args:
        iou_thr: Smallest IoU of a prior with its object.
    """

    def __init__(self, iou_thr: float = 0.5) -> None:
        super().__init__(pos_iou_thr=iou_thr, neg_iou_thr=iou_thr, min_pos_iou=0.0, gt_max_assign_all=False)

    def assign_batch(self, priors: Tensor, objects: Tensor, present: Tensor) -> Tensor:
        """Match.

        Args:
            priors: (P, 4) as (x1, y1, x2, y2) in pixels.
            objects: (N, G, 4), the boxes of each image, G at least 1.
            present: (N, G), whether there is such a box: images have different numbers.

        Returns:
            int64 (N, P): the object's place among its image's, or `BACKGROUND`.
        """
        ious = bbox_overlaps(objects, priors.expand(len(objects), -1, -1)).masked_fill(~present[..., None], -1)
        overlap, owner = ious.max(1)
        owner = owner.masked_fill(overlap < self.pos_iou_thr, BACKGROUND)
        # Boxes that are not there take a column of their own, which is cut off.
        best_prior = ious.max(2).indices.masked_fill(~present, len(priors))
        places = torch.arange(objects.shape[1], device=owner.device).expand_as(best_prior)
        forced = owner.new_full((len(objects), len(priors) + 1), BACKGROUND)
        forced = forced.scatter_reduce(1, best_prior, places, 'amax')[:, :-1]
        return torch.where(forced >= 0, forced, owner)
