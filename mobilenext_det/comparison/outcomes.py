"""What became of every detection, small enough to be committed and enough for the AP of any resample of the images."""

from __future__ import annotations

import base64
import zlib
from typing import NamedTuple

import numpy as np

from mobilenext_det.evaluation import EvaluationSet, Summary
from mobilenext_det.evaluation.average_precision import IGNORED, TRUE_POSITIVE

SCORE_LEVELS = 65535


class Outcomes(NamedTuple):
    """The detections that average precision depends on, class after class and in each from the highest score down.

    Two kinds are left out, because they change the AP of no resample of the images: detections on difficult objects,
    which never count, and false positives below the last true positive of their class, which lower precision only
    where recall no longer rises.

    Attributes:
        image: (D,) index of the image.
        label: (D,) index of the class.
        score: (D,) confidence in steps of 1/65535; only the order matters for AP, and the order is exact.
        hit: (D,) whether it is a true positive.
        objects: (N, C) objects to be found, by image and class.
    """

    image: np.ndarray
    label: np.ndarray
    score: np.ndarray
    hit: np.ndarray
    objects: np.ndarray

    @classmethod
    def of(cls, data: EvaluationSet, summary: Summary) -> Outcomes:
        """Take from an evaluation what AP depends on.

        Args:
            data: Objects and detections.
            summary: Their evaluation.
        """
        detections, outcome = data.detections, summary.matches.outcome
        order = np.lexsort((-detections.scores, detections.label))  # stable, as the ranking of the metric
        order = order[outcome[order] != IGNORED]
        label, hit = detections.label[order], outcome[order] == TRUE_POSITIVE
        last_hit = np.full(len(data.classes), -1)
        np.maximum.at(last_hit, label[hit], np.flatnonzero(hit))
        kept = np.arange(len(order)) <= last_hit[label]
        order = order[kept]
        counted = ~data.objects.difficult | (summary.difficult == 'count')
        objects = np.zeros((len(data.image_ids), len(data.classes)), np.int64)
        np.add.at(objects, (data.objects.image[counted], data.objects.label[counted]), 1)
        score = np.round(detections.scores[order] * SCORE_LEVELS) / SCORE_LEVELS
        return cls(detections.image[order], label[kept], score, hit[kept], objects)

    def as_dict(self) -> dict:
        """Return plain JSON, compressed."""
        score = np.round(self.score * SCORE_LEVELS).astype(np.uint32)
        return {
            'images': len(self.objects),
            'detections': np.bincount(self.label, minlength=self.objects.shape[1]).tolist(),
            'image': _pack(self.image),
            'score_steps': _pack(np.diff(score, prepend=np.uint32(0))),
            'hit': _pack(self.hit),
            'objects': _pack(self.objects.ravel()),
        }

    @classmethod
    def from_dict(cls, packed: dict) -> Outcomes:
        """Undo :meth:`as_dict`.

        Args:
            packed: What it returned.

        Raises:
            ValueError: The parts do not fit together.
        """
        counts = packed['detections']
        label = np.repeat(np.arange(len(counts)), counts)
        image, hit = _unpack(packed['image']).astype(np.int64), _unpack(packed['hit']) > 0
        score = np.cumsum(_unpack(packed['score_steps']), dtype=np.uint32) / SCORE_LEVELS
        objects = _unpack(packed['objects']).astype(np.int64).reshape(packed['images'], len(counts))
        if not len(image) == len(hit) == len(score) == len(label) or (image >= len(objects)).any():
            raise ValueError('its detections do not fit together')
        return cls(image, label, score, hit, objects)


def _pack(values: np.ndarray) -> str:
    """Compress whole numbers as planes of equal bytes: first all lowest bytes, and so on."""
    planes = values.astype('<u4').view(np.uint8).reshape(-1, 4).T
    return base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()


def _unpack(text: str) -> np.ndarray:
    planes = np.frombuffer(zlib.decompress(base64.b64decode(text, validate=True)), np.uint8).reshape(4, -1)
    return np.ascontiguousarray(planes.T).view('<u4').ravel()
