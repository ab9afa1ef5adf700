"""How long evaluation takes, next to mmdet's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from mmdet.evaluation.functional import eval_map

from mobilenext_det.evaluation.records import EvaluationSet, ImageRecord
from mobilenext_det.evaluation.summary import summarise

from .commands import require
from .report import Report
from .turns import take_turns


@dataclass(frozen=True)
class EvaluationReport(Report):
    """Medians of several runs, taken in turns.

    Attributes:
        ours: Seconds from the metric's stored results to all numbers, both modes, classes and best F1 included.
        mmdet: Seconds of ``eval_map(nproc=1)`` from ``VOCMetric``'s stored results to the classes' 11-point AP.
        ratio: How many times faster ours is.
        difference: Largest difference between the two in the AP of a class.
    """

    ours: float
    mmdet: float
    ratio: float
    difference: float
    images: int
    detections: int
    classes: int
    repeats: int

    @property
    def text(self) -> str:
        """Both medians, their ratio and the largest difference in AP."""
        return f"""\
{self.images} images, {self.detections} detections each, {self.classes} classes, median of {self.repeats}:
mobilenext_det, both modes       {self.ours:8.3f} s
mmdet eval_map, 11points, nproc=1 {self.mmdet:7.3f} s
{self.ratio:.1f} times as fast; largest difference in AP {self.difference:.1e}"""


def compare_evaluation(
    images: int = 4952, detections: int = 100, classes: int = 20, repeats: int = 5
) -> EvaluationReport:
    """Have both implementations evaluate the same random detections.

    Args:
        images: How many.
        detections: Detections an image, spread over the classes.
        classes: How many.
        repeats: Runs of each.

    Raises:
        UsageError: If one of them is smaller than 1.
    """
    require(1, images=images, detections=detections, classes=classes, repeats=repeats)
    records = random_records(images, detections, classes)
    names = tuple(map(str, range(classes)))
    found, annotations = zip(*(_as_voc_metric_stores(record, classes) for record in records), strict=True)

    def ours() -> list[float]:
        return [result.AP_11points for result in summarise(EvaluationSet.from_records(records, names)).classes]

    def theirs() -> list[float]:
        _, rows = eval_map(
            found, annotations, use_legacy_coordinate=True, eval_mode='11points', nproc=1, logger='silent'
        )
        return [row['ap'] for row in rows]

    runs = take_turns({'ours': _timed(ours), 'theirs': _timed(theirs)}, range(repeats), 'Evaluating')
    seconds = {name: median(spent for spent, _ in own) for name, own in runs.items()}
    difference = float(np.abs(np.subtract(runs['ours'][0][1], runs['theirs'][0][1])).max())
    both = (seconds['ours'], seconds['theirs'], seconds['theirs'] / seconds['ours'], difference)
    return EvaluationReport(*both, images, detections, classes, repeats)


def random_records(num_images: int, num_detections: int, num_classes: int, seed: int = 0) -> list[ImageRecord]:
    """Images of one to five objects, some difficult; a fifth of the detections is near an object. No scores are equal.

    Args:
        num_images: How many.
        num_detections: detections an image.
        num_classes: classes.
        seed: the same seed gives the same records.
    """
    rng = np.random.default_rng(seed)
    scores = rng.permutation(num_images * num_detections).astype(np.float32).reshape(num_images, num_detections)
    scores /= num_images * num_detections
    return [_random_record(rng, str(index), own, num_classes) for index, own in enumerate(scores)]


def _random_record(rng: np.random.Generator, name: str, scores: np.ndarray, num_classes: int) -> ImageRecord:
    objects = _random_boxes(rng, int(rng.integers(1, 6)))
    labels = rng.integers(0, num_classes, len(objects))
    found, found_labels = _random_boxes(rng, len(scores)), rng.integers(0, num_classes, len(scores))
    near = rng.random(len(scores)) < 0.2
    source = rng.integers(0, len(objects), len(scores))[near]
    jittered = objects[source] + rng.normal(0, 8, (len(source), 4))
    found[near] = np.sort(jittered.reshape(-1, 2, 2), axis=1).reshape(-1, 4)
    found_labels[near] = np.where(rng.random(len(source)) < 0.8, labels[source], found_labels[near])
    difficult = np.arange(len(objects)) >= max(1, rng.binomial(len(objects), 0.85))
    return ImageRecord(name, '', objects, labels, difficult, found.astype(np.float32), found_labels, scores)


def _random_boxes(rng: np.random.Generator, number: int) -> np.ndarray:
    corner = rng.uniform(0, 300, (number, 2))
    return np.hstack([corner, corner + rng.uniform(20, 200, (number, 2))]).astype(np.float32)


def _as_voc_metric_stores(record: ImageRecord, num_classes: int) -> tuple[list[np.ndarray], dict]:
    rows = np.hstack([record.boxes, record.scores[:, None]])
    regular, difficult = ~record.difficult, record.difficult
    annotation = {
        'bboxes': record.object_boxes[regular],
        'labels': record.object_labels[regular],
        'bboxes_ignore': record.object_boxes[difficult],
        'labels_ignore': record.object_labels[difficult],
    }
    return [rows[record.labels == label] for label in range(num_classes)], annotation


def _timed(function: Callable[[], list[float]]) -> Callable[[int], tuple[float, list[float]]]:
    def run(number: int) -> tuple[float, list[float]]:
        start = time.perf_counter()
        result = function()
        return time.perf_counter() - start, result

    return run
