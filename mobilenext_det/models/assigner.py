"""Which ground-truth object each prior is assigned to."""

from __future__ import annotations

import torch
from mmdet.models.task_modules import ATSSAssigner, MaxIoUAssigner
from mmdet.registry import TASK_UTILS
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor

NO_OBJECT = -1  # of a prior that matches none: a negative


@TASK_UTILS.register_module()
class BatchMaxIoUAssigner(MaxIoUAssigner):
    """SSD's matching by mmdet's `MaxIoUAssigner`, for all images of a batch at once.

    A prior is assigned to the object that it overlaps most, if their IoU reaches the threshold; and every object's best
    prior to that object whatever the IoU, to the last one where several objects share it. mmdet asks the device for the
    IoU of one object after another, so that a GPU waits for the CPU; nothing is asked here.

    Args:
        iou_thr: Smallest IoU of a prior with its object.
    """

    def __init__(self, iou_thr: float = 0.5) -> None:
        super().__init__(pos_iou_thr=iou_thr, neg_iou_thr=iou_thr, min_pos_iou=0.0, gt_max_assign_all=False)

    def assign_batch(self, priors: list[Tensor], objects: Tensor, present: Tensor) -> Tensor:
        """Match.

        Args:
            priors: Those of each level, (p, 4) as (x1, y1, x2, y2) in pixels; P in all.
            objects: (N, G, 4), the boxes of each image, G at least 1.
            present: (N, G), whether there is such a box: images have different numbers.

        Returns:
            (N, P), int64: the index of the assigned object among its image's, or `NO_OBJECT`.
        """
        ious = _ious(priors, objects, present)
        overlap, assigned = ious.max(1)
        return _with_best_priors(assigned.masked_fill(overlap < self.pos_iou_thr, NO_OBJECT), ious, present)


@TASK_UTILS.register_module()
class BatchATSSAssigner(ATSSAssigner):
    """Matching that sets each object a threshold of its own: mmdet's `ATSSAssigner` (arXiv 1912.02424).

    Of the priors nearest to an object's centre, `topk` a level, those are positive whose IoU reaches the mean plus the
    standard deviation of them all, and whose centre lies in it. A fixed IoU of 0.5 leaves a small object little more
    than its best prior; that one is positive here, too, as in `BatchMaxIoUAssigner`, because an object may hold no
    prior's centre at all.

    mmdet matches one image after another and asks the device for values, so that a GPU waits for the CPU; nothing is
    asked here.

    Args:
        topk: Candidates a level. All six priors of a cell are equally near, so a multiple of six takes whole cells, but
            for ties between cells. The nine cells of the article, which has one prior a cell, would be 54 here, and the
            many shapes that fit badly would lower the threshold: on synthetic scenes the positives' median IoU is 0.40
            with 54 and 0.50 with 12.
    """

    def __init__(self, topk: int = 12) -> None:
        super().__init__(topk)

    def assign_batch(self, priors: list[Tensor], objects: Tensor, present: Tensor) -> Tensor:
        """Match; arguments and result are those of `BatchMaxIoUAssigner`."""
        ious, centres = _ious(priors, objects, present), _centres(torch.cat(priors))
        candidates = self._nearest(_centres(objects), centres, [len(level) for level in priors])
        overlaps = ious.gather(2, candidates)
        fits = overlaps >= overlaps.mean(2, keepdim=True) + overlaps.std(2, keepdim=True)
        positive = fits & _inside(centres[candidates], objects) & present[..., None]
        # Where several objects claim a prior, it goes to the one that it overlaps most.
        claims = torch.full_like(ious, -1).scatter(2, candidates, overlaps.masked_fill(~positive, -1))
        overlap, assigned = claims.max(1)
        return _with_best_priors(assigned.masked_fill(overlap < 0, NO_OBJECT), ious, present)

    def _nearest(self, objects: Tensor, priors: Tensor, sizes: list[int]) -> Tensor:
        """Return the indices (N, G, K) of each level's priors with the centres (P, 2) nearest to objects' (N, G, 2)."""
        distances = (objects[:, :, None] - priors).square().sum(-1).sqrt()
        nearest, first = [], 0
        for level in distances.split(sizes, 2):
            nearest.append(level.topk(min(self.topk, level.shape[2]), largest=False).indices + first)
            first += level.shape[2]
        return torch.cat(nearest, 2)


def _centres(boxes: Tensor) -> Tensor:
    """Return the centres (..., 2) of boxes (..., 4)."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def _inside(points: Tensor, boxes: Tensor) -> Tensor:
    """Tell which points (N, G, K, 2) lie in their boxes (N, G, 4), a hundredth of a pixel at least from the border."""
    margins = torch.cat((points - boxes[:, :, None, :2], boxes[:, :, None, 2:] - points), 3)
    return margins.amin(3) > 0.01


def _ious(priors: list[Tensor], objects: Tensor, present: Tensor) -> Tensor:
    """Return the IoU of every object with every prior, (N, G, P); -1 where there is no object."""
    return bbox_overlaps(objects, torch.cat(priors).expand(len(objects), -1, -1)).masked_fill(~present[..., None], -1)


def _with_best_priors(assigned: Tensor, ious: Tensor, present: Tensor) -> Tensor:
    """Assign every object's best prior to that object, to the last one where several share it.

    Args:
        assigned: (N, P), index of the object that each prior is assigned to otherwise, or `NO_OBJECT`.
        ious: (N, G, P).
        present: (N, G), whether there is such an object.

    Returns:
        The same, (N, P).
    """
    _, objects, priors = ious.shape
    # Boxes that are not there take a column of their own, which is cut off.
    best_prior = ious.max(2).indices.masked_fill(~present, priors)
    indices = torch.arange(objects, device=assigned.device).expand_as(best_prior)
    forced = assigned.new_full((len(assigned), priors + 1), NO_OBJECT)
    forced = forced.scatter_reduce(1, best_prior, indices, 'amax')[:, :-1]
    return torch.where(forced >= 0, forced, assigned)
