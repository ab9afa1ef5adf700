"""How long evaluation takes, next to mmdet's."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

import numpy as np
from mmdet.evaluation.functional import eval_map
from rich.progress import track

from mobilenext_det.evaluation.records import EvaluationSet, ImageRecord
from mobilenext_det.evaluation.summary import summarise


class SpeedComparison(NamedTuple):
    """Medians of several runs, taken in turns.

    Attributes:
        ours: seconds from the metric's stored results to all numbers, both modes, classes and best F1 included.
        mmdet: seconds of ``eval_map(nproc=1)`` from ``VOCMetric``'s stored results to the 11-point AP of the classes.
        ratio: how many times faster ours is.
        difference: largest difference between the two in the AP of a class.
    """

    ours: float
    mmdet: float
    ratio: float
    difference: float


def compare_speed(
    num_images: int = 4952, num_detections: int = 100, num_classes: int = 20, repeats: int = 5
) -> SpeedComparison:
    """Judge the same random detections by both implementations.

    Args:
        num_images: images.
        num_detections: detections an image, spread over the classes.
        num_classes: classes.
        repeats: runs of each.
    """
    records = random_records(num_images, num_detections, num_classes)
    classes = tuple(map(str, range(num_classes)))
    detections, annotations = zip(*(_as_voc_metric_stores(record, num_classes) for record in records), strict=True)

    def ours() -> list[float]:
        return [result.AP_11points for result in summarise(EvaluationSet.from_records(records, classes)).classes]

    def theirs() -> list[float]:
        _, rows = eval_map(
            detections, annotations, use_legacy_coordinate=True, eval_mode='11points', nproc=1, logger='silent'
        )
        return [row['ap'] for row in rows]

    runs = [(_timed(ours), _timed(theirs)) for _ in track(range(repeats), description='Evaluating', transient=True)]
    seconds = [median(run[side][0] for run in runs) for side in (0, 1)]
    difference = np.abs(np.subtract(runs[0][0][1], runs[0][1][1])).max()
    return SpeedComparison(*seconds, seconds[1] / seconds[0], float(difference))


def random_records(num_images: int, num_detections: int, num_classes: int, seed: int = 0) -> list[ImageRecord]:
    """Images of one to five objects, some difficult; a fifth of the detections is near an object. No scores are equal.

    Args:
        num_images: images.
        num_detections: detections an image.
        num_classes: classes.
        seed: the same seed gives the same records.
    """
    rng = np.random.default_rng(seed)
    scores = rng.permutation(num_images * num_detections).astype(np.float32).reshape(num_images, num_detections)
    scores /= num_images * num_detections
    return [_random_record(rng, str(index), own, num_classes) for index, own in enumerate(scores)]


def _random_record(rng: np.random.Generator, name: str, scores: np.ndarray, num_classes: int) -> ImageRecord:
    objects = _random_boxes(rng, rng.integers(1, 6))
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


def _timed(function: Callable[[], list[float]]) -> tuple[float, list[float]]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result
