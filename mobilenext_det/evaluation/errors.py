"""What kinds of error detections make, and how much mAP each kind costs.

After TIDE (Bolya et al., "TIDE: A General Toolbox for Identifying Object Detection Errors", ECCV 2020). A false
positive is, in this order: a poor box (its best object of the same class overlaps by the background threshold or more,
but by less than a match needs), a wrong class (an object of another class overlaps enough for a match), a duplicate
(its object is taken), background (nothing overlaps by the background threshold), or both (wrong class and poor box). An
object is missed when neither a true positive nor a poor box nor a wrong class is on it. What a kind costs is the gain
in mAP if an oracle repaired all errors of that kind alone.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .average_precision import (
    FALSE_POSITIVE,
    IGNORED,
    TRUE_POSITIVE,
    Matches,
    aligned_iou,
    average_precision,
    candidate_pairs,
    first_best,
    precision_recall,
)
from .records import EvaluationSet
from .summary import Summary

POOR_BOX, WRONG_CLASS, DUPLICATE, BACKGROUND, BOTH, MISSED = KINDS = (
    'poor box',
    'wrong class',
    'duplicate',
    'background',
    'both',
    'missed',
)
NO_ERROR = -1
BACKGROUND_IOU = 0.1


class ErrorBreakdown(NamedTuple):
    """The errors of one set of detections.

    Attributes:
        kind: (D,) index into KINDS for every false positive, NO_ERROR for the other detections.
        target: (D,) row of the object that the error is about, -1 for none.
        missed: (G,) which objects are missed.
        counts: Number of errors by kind.
        cost: Gain in mAP (area) by kind if its errors were repaired; NaN when mAP is undefined.
    """

    kind: np.ndarray
    target: np.ndarray
    missed: np.ndarray
    counts: dict[str, int]
    cost: dict[str, float]

    def as_dict(self) -> dict:
        """Counts and costs for JSON; an undefined cost is None."""
        cost = {kind: None if math.isnan(value) else value for kind, value in self.cost.items()}
        return {'counts': self.counts, 'cost': cost}


def break_down(data: EvaluationSet, summary: Summary) -> ErrorBreakdown:
    """Sort errors into kinds and cost them.

    Args:
        data: Objects and detections.
        summary: Their evaluation.
    """
    matches, false = summary.matches, summary.matches.outcome == FALSE_POSITIVE
    other, other_iou = _best_of_other_classes(data, np.flatnonzero(false))
    own_iou = matches.iou
    conditions = {
        POOR_BOX: (own_iou >= BACKGROUND_IOU) & (own_iou < summary.iou_threshold),
        WRONG_CLASS: other_iou >= summary.iou_threshold,
        DUPLICATE: own_iou >= summary.iou_threshold,
        BACKGROUND: np.maximum(own_iou, other_iou) < BACKGROUND_IOU,
        BOTH: np.ones_like(false),
    }
    kind = np.where(false, np.select(list(conditions.values()), list(range(len(conditions)))), NO_ERROR)
    target = np.where(np.isin(kind, [KINDS.index(WRONG_CLASS), KINDS.index(BOTH)]), other, matches.best_object)
    target[(kind == NO_ERROR) | (kind == KINDS.index(BACKGROUND))] = -1

    found = _rows_on_objects(data, matches.best_object[matches.outcome == TRUE_POSITIVE])
    repairable = _rows_on_objects(data, target[np.isin(kind, [KINDS.index(POOR_BOX), KINDS.index(WRONG_CLASS)])])
    missed = ~(found | repairable | data.objects.difficult)

    counts = {name: int((kind == index).sum()) for index, name in enumerate(KINDS)} | {MISSED: int(missed.sum())}
    repair = _Repair(data, matches, kind, target, found, missed)
    cost = {name: repair.mean_average_precision(name) - summary.mAP_area for name in KINDS}
    return ErrorBreakdown(kind, target, missed, counts, cost)


def _best_of_other_classes(data: EvaluationSet, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For the given detections the object of another class with the highest overlap (-1 without), and that overlap."""
    detections, objects = data.detections, data.objects
    pair, target = candidate_pairs(detections.image[rows], objects.image)
    differs = detections.label[rows[pair]] != objects.label[target]
    pair, target = pair[differs], target[differs]
    overlaps = aligned_iou(detections.boxes[rows[pair]], objects.boxes[target], data.inclusive)
    best = first_best(pair, overlaps)
    other, iou = np.full(len(detections.scores), -1), np.zeros(len(detections.scores))
    other[rows[pair[best]]], iou[rows[pair[best]]] = target[best], overlaps[best]
    return other, iou


def _rows_on_objects(data: EvaluationSet, targets: np.ndarray) -> np.ndarray:
    """(G,) which objects are among the targets."""
    on = np.zeros(len(data.objects.label), dtype=bool)
    on[targets] = True
    return on


class _Repair(NamedTuple):
    """The oracle: mAP with all errors of one kind repaired."""

    data: EvaluationSet
    matches: Matches
    kind: np.ndarray
    target: np.ndarray
    found: np.ndarray
    missed: np.ndarray

    def mean_average_precision(self, name: str) -> float:
        """Mean of AP (area) over the classes with all errors of a kind repaired.

        A repaired box or class makes a true positive of the best detection on an object that is not found; all other
        detections of the kind go. Missed objects go, too.
        """
        label, outcome = self.data.detections.label.copy(), self.matches.outcome.copy()
        wrong = self.kind == KINDS.index(name)
        outcome[wrong] = IGNORED
        if name in (POOR_BOX, WRONG_CLASS):
            rows = np.flatnonzero(wrong)
            rows = rows[~(self.found | self.data.objects.difficult)[self.target[rows]]]
            rows = rows[np.argsort(-self.data.detections.scores[rows], kind='stable')]
            rows = rows[np.unique(self.target[rows], return_index=True)[1]]
            outcome[rows], label[rows] = TRUE_POSITIVE, self.data.objects.label[self.target[rows]]
        counted = ~(self.data.objects.difficult | (self.missed & (name == MISSED)))
        num_objects = np.bincount(self.data.objects.label[counted], minlength=len(self.data.classes))
        return self._mean(label, outcome, num_objects)

    def _mean(self, label: np.ndarray, outcome: np.ndarray, num_objects: np.ndarray) -> float:
        values = []
        for index in np.flatnonzero(num_objects):
            own = label == index
            curve = precision_recall(self.data.detections.scores[own], outcome[own], num_objects[index])
            values.append(average_precision(curve.recall, curve.precision, 'area'))
        return float(np.mean(values)) if values else float('nan')
