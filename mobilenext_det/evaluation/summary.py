"""From objects and detections to every number of the report: average precision, best F1, counts, policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from mobilenext_det.errors import UsageError

from .average_precision import (
    FALSE_POSITIVE,
    IGNORED,
    TRUE_POSITIVE,
    Curve,
    Matches,
    average_precision,
    match,
    precision_recall,
)
from .coco import coco_average_precision
from .records import EvaluationSet

Difficult = Literal['ignore', 'count']  # what becomes of objects that are marked as difficult
_POLICIES: dict[Difficult, str] = {
    'ignore': 'difficult objects are neither to be found nor counted, detections that match them are left out',
    'count': 'difficult objects count like all others',
}


@dataclass(frozen=True)
class OperatingPoint:
    """Precision and recall when only detections from a score on are kept.

    Attributes:
        score: The lowest score that is kept.
        precision: Share of true positives among what is kept.
        recall: Share of the objects that are found.
        f1: Harmonic mean of the two.
        true_positives: True positives among what is kept.
        false_positives: False positives among what is kept.
    """

    score: float
    precision: float
    recall: float
    f1: float
    true_positives: int
    false_positives: int


@dataclass(frozen=True)
class ClassResult:
    """The results of one class; average precision is NaN when it has no object that counts.

    Attributes:
        name: The class.
        objects: Objects to be found.
        difficult: Objects left out.
        detections: All detections, the sum of the next three.
        true_positives: Detections that found an object.
        false_positives: Detections that did not.
        ignored: Detections on difficult objects.
        AP_11points: Average precision over eleven recalls.
        AP_area: Average precision as the area under the curve.
        best: Where F1 is highest; None without objects or without detections that count.
        curve: Precision and recall over falling score.
    """

    name: str
    objects: int
    difficult: int
    detections: int
    true_positives: int
    false_positives: int
    ignored: int
    AP_11points: float
    AP_area: float
    best: OperatingPoint | None
    curve: Curve = field(repr=False)


@dataclass(frozen=True)
class Summary:
    """Everything evaluation says about a set of detections; nothing is rounded.

    Attributes:
        classes: One result a class.
        mAP_11points: Mean over the classes with objects; NaN when no class has any.
        mAP_area: The same with the area under the curve.
        best: Where F1 over the detections of all classes is highest.
        images: Number of images.
        iou_threshold: Overlap that a true positive reaches.
        difficult: How difficult objects were treated.
        inclusive: Whether boxes contain their last pixel.
        matches: What became of every detection.
        coco: COCO's average precisions by name, empty when they were not asked for.
        problems: What reading the annotations dropped or altered: how many of each kind.
    """

    classes: list[ClassResult]
    mAP_11points: float
    mAP_area: float
    best: OperatingPoint | None
    images: int
    iou_threshold: float
    difficult: Difficult
    inclusive: bool
    matches: Matches = field(repr=False)
    coco: dict[str, float] = field(default_factory=dict)
    problems: Mapping[str, int] = field(default_factory=dict)

    @property
    def policy(self) -> str:
        """How difficult objects were treated, in words."""
        return _POLICIES[self.difficult]

    @property
    def pixels(self) -> str:
        """How the width of a box is counted, in words."""
        return 'a box contains its last pixel (+1)' if self.inclusive else 'a box ends before its last coordinate'

    def total(self, count: str) -> int:
        """The sum of a count over the classes.

        Args:
            count: Name of a whole number in :class:`ClassResult`.
        """
        return sum(getattr(result, count) for result in self.classes)

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON: what is undefined (NaN) is None, curves and matches are left out."""
        per_class = {}
        for result in self.classes:
            row = {name: value for name, value in vars(result).items() if name not in ('name', 'curve', 'best')}
            row['best_F1'] = asdict(result.best) if result.best else None
            per_class[result.name] = row
        counts = ('objects', 'difficult', 'detections', 'true_positives', 'false_positives', 'ignored')
        totals = {name: self.total(name) for name in counts}
        return _without_nan(
            {
                'mAP_11points': self.mAP_11points,
                'mAP_area': self.mAP_area,
                'per_class': per_class,
                'images': self.images,
                'ground_truths': totals.pop('objects'),
                **totals,
                'best_F1': asdict(self.best) if self.best else None,
                'coco': self.coco,
                'iou_threshold': self.iou_threshold,
                'policy': self.policy,
                'pixels': self.pixels,
                'problems': dict(self.problems),
            }
        )


class Evaluated(NamedTuple):
    """A set of detections and its evaluation.

    Attributes:
        name: What to call the detections.
        data: Objects and detections.
        summary: Their evaluation.
    """

    name: str
    data: EvaluationSet
    summary: Summary


def summarise(
    data: EvaluationSet, iou_threshold: float = 0.5, difficult: Difficult = 'ignore', coco: bool = False
) -> Summary:
    """Evaluate detections.

    Args:
        data: Objects and detections.
        iou_threshold: Overlap that a true positive reaches.
        difficult: 'ignore' as the devkit does, or 'count'.
        coco: Whether COCO's average precisions are computed too, which takes much longer than all the rest.

    Raises:
        UsageError: The policy for difficult objects is unknown.
    """
    if difficult not in get_args(Difficult):
        raise UsageError(f"difficult is 'ignore' or 'count', not {difficult!r}.")
    if difficult == 'count':
        data = replace(data, objects=data.objects._replace(difficult=np.zeros_like(data.objects.difficult)))
    matches = match(data.detections, data.objects, iou_threshold, data.inclusive)
    classes = [_class_result(data, matches, label) for label in range(len(data.classes))]
    with_objects = [result for result in classes if result.objects]
    everything = precision_recall(data.detections.scores, matches.outcome, sum(result.objects for result in classes))
    return Summary(
        classes,
        _mean([result.AP_11points for result in with_objects]),
        _mean([result.AP_area for result in with_objects]),
        best_f1(everything),
        len(data.image_ids),
        iou_threshold,
        difficult,
        data.inclusive,
        matches,
        coco_average_precision(data) if coco else {},
        data.problems,
    )


def best_f1(curve: Curve) -> OperatingPoint | None:
    """The operating point with the highest F1; of equal ones the one with the highest score.

    Detections of equal score can only be kept together, so that only the last of them is a point.

    Args:
        curve: Precision and recall over falling score.
    """
    ends = np.flatnonzero(np.diff(curve.scores, append=-np.inf))
    if not len(ends) or np.isnan(curve.recall[0]):
        return None
    precision, recall = curve.precision[ends], curve.recall[ends]
    f1 = 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
    best = int(f1.argmax())
    found = int(curve.true_positive[: ends[best] + 1].sum())
    return OperatingPoint(
        float(curve.scores[ends[best]]),
        float(precision[best]),
        float(recall[best]),
        float(f1[best]),
        found,
        int(ends[best]) + 1 - found,
    )


def _class_result(data: EvaluationSet, matches: Matches, label: int) -> ClassResult:
    own = data.detections.label == label
    outcome = matches.outcome[own]
    own_objects = data.objects.label == label
    difficult = int(data.objects.difficult[own_objects].sum())
    num_objects = int(own_objects.sum()) - difficult
    curve = precision_recall(data.detections.scores[own], outcome, num_objects)
    ap_11points, ap_area = (
        average_precision(curve.recall, curve.precision, mode) if num_objects else math.nan
        for mode in ('11points', 'area')
    )
    counts = np.bincount(outcome, minlength=3)
    return ClassResult(
        data.classes[label],
        num_objects,
        difficult,
        len(outcome),
        int(counts[TRUE_POSITIVE]),
        int(counts[FALSE_POSITIVE]),
        int(counts[IGNORED]),
        ap_11points,
        ap_area,
        best_f1(curve),
        curve,
    )


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
