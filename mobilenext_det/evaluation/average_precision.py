"""Matching of detections to objects, precision-recall curves and average precision: float64, no loops over boxes.

The rules are those of the PASCAL VOC development kit (http://host.robots.ox.ac.uk/pascal/VOC/voc2007/): a detection
belongs to the object of its class and image that it overlaps most, whether or not that object is taken; it is a true
positive when the overlap reaches the threshold and no detection before it took the object, it is left out when the
object is difficult, and it is a false positive otherwise.

Ties. Equal scores keep the order in which detections are given (image after image, and in an image as the detector
gave them), as the stable sort of the devkit does. Equal overlaps go to the object that is given first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .records import Detections, Objects

FALSE_POSITIVE, TRUE_POSITIVE, IGNORED = 0, 1, 2

# Multiples of 0.1 in double precision, as the devkit's 0:0.1:1: a recall of exactly 3/10 stays below the fourth.
RECALL_POINTS = np.arange(11) * 0.1


class Matches(NamedTuple):
    """What became of every detection.

    Attributes:
        outcome: (D,) FALSE_POSITIVE, TRUE_POSITIVE or IGNORED.
        best_object: (D,) row of the object of the same class and image with the highest overlap, -1 without any.
        iou: (D,) that overlap.
    """

    outcome: np.ndarray
    best_object: np.ndarray
    iou: np.ndarray


class Curve(NamedTuple):
    """Precision and recall of one class after each detection that counts, in order of falling score.

    Attributes:
        scores: (n,) confidence of the detection.
        true_positive: (n,) whether it is a true positive.
        recall: (n,) share of the objects found so far; NaN when the class has no object.
        precision: (n,) share of true positives so far.
    """

    scores: np.ndarray
    true_positive: np.ndarray
    recall: np.ndarray
    precision: np.ndarray


def aligned_iou(boxes: np.ndarray, others: np.ndarray, inclusive: bool = True) -> np.ndarray:
    """Intersection over union of boxes row by row.

    Args:
        boxes: (N, 4) corners in pixels.
        others: (N, 4) corners in pixels.
        inclusive: Whether boxes contain their last pixel, as in the devkit.

    Returns:
        (N,) overlaps; 0 where both boxes are empty.
    """
    extra = 1.0 if inclusive else 0.0
    x1, y1 = np.maximum(boxes[:, 0], others[:, 0]), np.maximum(boxes[:, 1], others[:, 1])
    x2, y2 = np.minimum(boxes[:, 2], others[:, 2]), np.minimum(boxes[:, 3], others[:, 3])
    intersection = np.maximum(x2 - x1 + extra, 0) * np.maximum(y2 - y1 + extra, 0)
    area, other_area = ((b[:, 2] - b[:, 0] + extra) * (b[:, 3] - b[:, 1] + extra) for b in (boxes, others))
    union = area + other_area - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)


def candidate_pairs(detection_keys: np.ndarray, object_keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of a detection and an object that have the same key, ordered by detection, then by object.

    Args:
        detection_keys: (D,) integers, for example the image, or the image and the class in one number.
        object_keys: (G,) integers of the same kind.

    Returns:
        Rows of the detections and rows of the objects, both (P,).
    """
    order = np.argsort(object_keys, kind='stable')
    ordered = object_keys[order]
    first = np.searchsorted(ordered, detection_keys, side='left')
    count = np.searchsorted(ordered, detection_keys, side='right') - first
    detection = np.repeat(np.arange(len(detection_keys)), count)
    within = np.arange(len(detection)) - np.repeat(np.cumsum(count) - count, count)
    return detection, order[first[detection] + within]


def first_best(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Positions of the highest value of each row, the first one of equal ones.

    Args:
        rows: (P,) rising row numbers.
        values: (P,) values.

    Returns:
        One position into ``values`` for every row that occurs.
    """
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    best = np.maximum.reduceat(values, starts) if len(starts) else values
    is_best = np.flatnonzero(values == np.repeat(best, np.diff(starts, append=len(rows))))
    return is_best[np.diff(rows[is_best], prepend=-1) > 0]


def match(detections: Detections, objects: Objects, iou_threshold: float = 0.5, inclusive: bool = True) -> Matches:
    """Match detections to the objects of their image and class by the rules of the devkit.

    Args:
        detections: The detections of the whole set.
        objects: The objects of the whole set.
        iou_threshold: The overlap that a true positive reaches.
        inclusive: Whether boxes contain their last pixel, as in the devkit.
    """
    num_labels = 1 + max(detections.label.max(initial=0), objects.label.max(initial=0))
    pairs = candidate_pairs(
        detections.image * num_labels + detections.label, objects.image * num_labels + objects.label
    )
    overlaps = aligned_iou(detections.boxes[pairs[0]], objects.boxes[pairs[1]], inclusive)
    best = first_best(pairs[0], overlaps)

    best_object = np.full(len(detections.scores), -1)
    iou = np.zeros(len(detections.scores))
    best_object[pairs[0][best]], iou[pairs[0][best]] = pairs[1][best], overlaps[best]

    outcome = np.full(len(detections.scores), FALSE_POSITIVE, dtype=np.int8)
    hits = np.flatnonzero((best_object >= 0) & (iou >= iou_threshold))
    on_difficult = objects.difficult[best_object[hits]]
    outcome[hits[on_difficult]] = IGNORED
    hits = hits[~on_difficult]
    hits = hits[np.argsort(-detections.scores[hits], kind='stable')]
    outcome[hits[np.unique(best_object[hits], return_index=True)[1]]] = TRUE_POSITIVE
    return Matches(outcome, best_object, iou)


def precision_recall(scores: np.ndarray, outcome: np.ndarray, num_objects: int) -> Curve:
    """Precision and recall of one class after each of its detections that counts.

    Args:
        scores: (D,) confidences.
        outcome: (D,) FALSE_POSITIVE, TRUE_POSITIVE or IGNORED.
        num_objects: Objects of the class that are not difficult.
    """
    counted = np.flatnonzero(outcome != IGNORED)
    order = counted[np.argsort(-scores[counted], kind='stable')]
    true_positive = outcome[order] == TRUE_POSITIVE
    found = np.cumsum(true_positive)
    recall = found / num_objects if num_objects else np.full(len(order), np.nan)
    return Curve(scores[order], true_positive, recall, found / np.arange(1, len(order) + 1))


def average_precision(recall: np.ndarray, precision: np.ndarray, mode: str) -> float:
    """Average precision of one class.

    Args:
        recall: (n,) rising recalls.
        precision: (n,) precisions.
        mode: '11points', the mean over the recalls 0, 0.1, ..., 1 of the best precision from there on (VOC2007), or
            'area', the area under that falling envelope (VOC2010 and later).

    Returns:
        A number from 0 to 1; it means nothing for a class without objects.

    Raises:
        ValueError: The mode is neither of the two.
    """
    if mode not in ('11points', 'area'):
        raise ValueError(f"The mode of average precision is '11points' or 'area', not {mode!r}.")
    envelope = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    if mode == '11points':
        return float(envelope[np.searchsorted(recall, RECALL_POINTS, side='left')].mean())
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope[:-1]))
