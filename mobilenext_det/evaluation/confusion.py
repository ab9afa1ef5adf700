"""Which class is taken for which."""

from __future__ import annotations

import numpy as np

from .average_precision import aligned_iou, candidate_pairs
from .records import EvaluationSet


def confusion_matrix(data: EvaluationSet, score: float, iou_threshold: float = 0.5) -> np.ndarray:
    """Count detections by the class of the object they lie on.

    Detections from the score on and objects are paired one to one, the highest overlaps first, whatever their classes.
    Detections on difficult objects, and difficult objects without a detection, are left out.

    Args:
        data: Objects and detections.
        score: The lowest score that is looked at.
        iou_threshold: Overlap that a pair reaches.

    Returns:
        (C + 1, C + 1) counts; rows are classes of objects and, last, background (false positives); columns are
        classes of detections and, last, nothing (missed objects).
    """
    detections, objects, background = data.detections, data.objects, len(data.classes)
    kept = np.flatnonzero(detections.scores >= score)
    pair, target = candidate_pairs(detections.image[kept], objects.image)
    overlaps = aligned_iou(detections.boxes[kept[pair]], objects.boxes[target], data.inclusive)

    partner = np.full(len(kept), -1)
    free = np.ones(len(objects.label), dtype=bool)
    for row in np.argsort(-overlaps, kind='stable')[: np.count_nonzero(overlaps >= iou_threshold)]:
        if partner[pair[row]] < 0 and free[target[row]]:
            partner[pair[row]] = target[row]
            free[target[row]] = False

    matrix = np.zeros((background + 1, background + 1), dtype=np.int64)
    regular = (partner < 0) | ~objects.difficult[partner]
    truth = np.where(partner < 0, background, objects.label[partner])
    np.add.at(matrix, (truth[regular], detections.label[kept][regular]), 1)
    np.add.at(matrix, (objects.label[free & ~objects.difficult], background), 1)
    return matrix
