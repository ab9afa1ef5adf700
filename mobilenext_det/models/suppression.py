"""Suppression of overlapping boxes, as fast with a network that has learnt nothing as with one that has."""

from __future__ import annotations

from torch import Tensor
from torchvision.ops import batched_nms

CANDIDATES = 6000
"""How many are looked at first: on a CPU torchvision rounds the overlaps of less than 1000 boxes otherwise."""


def best_of_each_object(boxes: Tensor, scores: Tensor, labels: Tensor, iou_threshold: float, most: int) -> Tensor:
    """Suppress boxes that overlap a better one of their class, and keep the best of the rest.

    Better boxes alone decide on a box, so that the best candidates say all about themselves: the others are looked at
    only where too few of these stay. A classifier of twenty classes gives each box of an image a chance for each class
    when its training begins, 200,000 candidates, for which suppressing all takes seconds.

    Args:
        boxes: Candidates (N, 4) as (x1, y1, x2, y2).
        scores: Their scores (N,).
        labels: Their classes (N,).
        iou_threshold: Overlap from which on a box is suppressed.
        most: How many to keep.

    Returns:
        Indices of those that are kept, at most `most`, best first: what suppressing all and cutting gives. torchvision
        leaves the order of equal scores open.
    """
    if not len(scores):
        return labels
    corners = boxes - boxes.min()  # torchvision sets classes apart by an offset that needs coordinates from 0 up
    if len(scores) <= CANDIDATES:
        return batched_nms(corners, scores, labels, iou_threshold)[:most]
    order, count = scores.argsort(descending=True, stable=True), CANDIDATES
    while True:
        best = order[:count]
        kept = best[batched_nms(corners[best], scores[best], labels[best], iou_threshold)]
        if len(kept) >= most or count >= len(order):
            return kept[:most]
        count *= 4
