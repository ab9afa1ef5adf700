"""The arrays that evaluation works on: the objects and the detections of a whole set, flat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mobilenext_det.errors import BadDataError


class Objects(NamedTuple):
    """Annotated objects of a whole set, one row each.

    Attributes:
        image: (G,) index of the image.
        label: (G,) index of the class.
        boxes: (G, 4) corners (x1, y1, x2, y2) in pixels.
        difficult: (G,) whether the object is neither to be found nor to be counted.
    """

    image: np.ndarray
    label: np.ndarray
    boxes: np.ndarray
    difficult: np.ndarray


class Detections(NamedTuple):
    """Detections of a whole set, one row each.

    Attributes:
        image: (D,) index of the image.
        label: (D,) index of the class.
        boxes: (D, 4) corners (x1, y1, x2, y2) in pixels.
        scores: (D,) confidence.
    """

    image: np.ndarray
    label: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class ImageRecord:
    """What is kept of one image until the whole set has been seen.

    Attributes:
        image_id: Name of the image.
        image_path: File of the image, empty when it is not known.
        object_boxes: (g, 4) corners of its objects in pixels.
        object_labels: (g,) classes of its objects.
        difficult: (g,) which objects are difficult.
        boxes: (d, 4) corners of its detections in pixels.
        labels: (d,) classes of its detections.
        scores: (d,) confidences of its detections.
        problems: How many problems of each kind its data set has, with the set's first image.
    """

    image_id: str
    image_path: str
    object_boxes: np.ndarray
    object_labels: np.ndarray
    difficult: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    problems: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluationSet:
    """A set of images with their objects and detections: all that evaluation needs.

    Attributes:
        classes: Names of the classes; a label is an index into them.
        image_ids: Names of the images, in the order of the data set.
        image_paths: Files of the images, empty strings where they are not known.
        objects: The annotated objects.
        detections: The detections to be evaluated.
        inclusive: Whether a box that ends at pixel x contains that pixel, so that it is x2 - x1 + 1 wide (the VOC
            devkit), or not, so that it is x2 - x1 wide (COCO).
        problems: What reading the annotations dropped or altered: how many of each kind, by the names of
            :class:`~mobilenext_det.datasets.problems.Kind`.
    """

    classes: tuple[str, ...]
    image_ids: list[str]
    image_paths: list[str] = field(repr=False)
    objects: Objects = field(repr=False)
    detections: Detections = field(repr=False)
    inclusive: bool = True
    problems: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the numbers, so that no later result is wrong without a word.

        Raises:
            BadDataError: A box or a score is no finite number, a box is inverted, or a label is not a class.
        """
        for kind, rows in (('object', self.objects), ('detection', self.detections)):
            self._reject(kind, rows, ~np.isfinite(rows.boxes).all(1), 'a box that is not four finite numbers')
            self._reject(kind, rows, np.any(rows.boxes[:, 2:] < rows.boxes[:, :2], axis=1), 'an inverted box')
            unknown = (rows.label < 0) | (rows.label >= len(self.classes))
            self._reject(kind, rows, unknown, f'a label outside the {len(self.classes)} classes')
        self._reject(
            'detection', self.detections, ~np.isfinite(self.detections.scores), 'a score that is not a finite number'
        )

    def _reject(self, kind: str, rows: Objects | Detections, bad: np.ndarray, reason: str) -> None:
        if bad.any():
            row = int(bad.argmax())
            score = f', score {rows.scores[row]}' if isinstance(rows, Detections) else ''
            raise BadDataError(
                f'Image {self.image_ids[rows.image[row]]} has {reason}: {kind} with box {rows.boxes[row].tolist()}, '
                f'label {rows.label[row]}{score} ({int(bad.sum())} such of {len(bad)}); correct it before evaluation.'
            )

    @classmethod
    def from_records(
        cls, records: list[ImageRecord], classes: tuple[str, ...], inclusive: bool = True
    ) -> EvaluationSet:
        """Join the records of single images, in float64.

        Args:
            records: One record an image, in the order of the data set.
            classes: Names of the classes.
            inclusive: Whether boxes contain their last pixel.
        """
        objects = Objects(
            np.repeat(np.arange(len(records)), [len(r.object_labels) for r in records]),
            _join([r.object_labels for r in records], np.int64),
            _join([r.object_boxes for r in records], np.float64, 4),
            _join([r.difficult for r in records], bool),
        )
        detections = Detections(
            np.repeat(np.arange(len(records)), [len(r.labels) for r in records]),
            _join([r.labels for r in records], np.int64),
            _join([r.boxes for r in records], np.float64, 4),
            _join([r.scores for r in records], np.float64),
        )
        ids, paths = [r.image_id for r in records], [r.image_path for r in records]
        problems = sum((Counter(record.problems) for record in records), Counter())
        return cls(tuple(classes), ids, paths, objects, detections, inclusive, problems)


def _join(arrays: list[np.ndarray], dtype: type, *row: int) -> np.ndarray:
    joined = np.concatenate(arrays) if arrays else np.zeros(0)
    return joined.astype(dtype, copy=False).reshape(-1, *row)
