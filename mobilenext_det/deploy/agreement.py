"""Whether an exported file detects what the checkpoint detects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mobilenext_det.errors import UserError

Detect = Callable[[np.ndarray, float], list[dict]]


class Tolerance(NamedTuple):
    """When two detections count as equal.

    Attributes:
        box: The largest distance of two corners, in pixels of the picture.
        score: The largest difference of the scores.
        threshold: What neither is surer of is left out: near the threshold of the file itself it may come or go.
        share: The least share of equal ones among all detections of either, for the file to be relied on.
    """

    box: float
    score: float
    threshold: float
    share: float


FP32 = Tolerance(box=0.5, score=1e-3, threshold=0.05, share=1)
INT8 = Tolerance(box=8, score=0.2, threshold=0.5, share=0.8)


class DisagreementError(UserError):
    """An exported file that detects something else than its checkpoint, or of which this is not known."""


@dataclass(frozen=True)
class Agreement:
    """How the detections of an exported file compare with PyTorch's.

    Attributes:
        pictures: Pictures that both looked at.
        detections: What PyTorch found in them.
        matched: How many of these the file found, too: the same class, box and score within the tolerance.
        additional: What only the file found.
        box_difference: The largest distance of two corners of matched detections, in pixels.
        score_difference: The largest difference of their scores.
        tolerance: When two count as equal.
    """

    pictures: int
    detections: int
    matched: int
    additional: int
    box_difference: float
    score_difference: float
    tolerance: Tolerance

    @property
    def equal(self) -> bool:
        """Whether both found the same."""
        return self.matched == self.detections and self.additional == 0

    @property
    def close(self) -> bool:
        """Whether something was compared, and enough of it is equal."""
        everything = self.detections + self.additional
        return self.detections > 0 and self.matched >= self.tolerance.share * everything

    def __str__(self) -> str:
        """Return one sentence that says what was compared and how it came out."""
        box, score, threshold, _ = self.tolerance
        if not self.detections and not self.additional:
            return (
                f'Nothing was compared, as nothing is detected with a score of {threshold} or more in '
                f'{self.pictures} pictures: let the test set of the config hold what the detector knows (--data-root).'
            )
        share = 'All' if self.equal else f'{self.matched} of'
        others = f', {self.additional} others were found' if self.additional else ''
        return (
            f'{share} {self.detections} detections (score {threshold} or more, {self.pictures} pictures) equal those '
            f'of PyTorch within {box} pixels and {score} in score{others}; they differ by {self.box_difference:.2f} '
            f'pixels and {self.score_difference:.4f} at most.'
        )


def agreement(
    expected: Detect, exported: Detect, images: Sequence[np.ndarray], tolerance: Tolerance = FP32
) -> Agreement:
    """Compare two detectors on the same pictures.

    Args:
        expected: The checkpoint, from a picture and the lowest score to detections with 'class', 'score' and 'box'.
        exported: The exported file, likewise.
        images: Pictures, (H, W, 3), BGR, uint8.
        tolerance: When two detections count as equal.
    """
    # What one is just sure enough of may be a little below the threshold of the other.
    least = tolerance.threshold - tolerance.score
    detections, additional, differences = 0, 0, []
    for image in images:
        wanted, found = expected(image, least), exported(image, least)
        pairs = _matches(wanted, found, tolerance)
        detections += _number(wanted, tolerance)
        additional += _number(found, tolerance) - _number([other for _, other in pairs], tolerance)
        differences += [_gap(one, other) for one, other in pairs if one['score'] >= tolerance.threshold]
    box, score = np.max(differences, axis=0, initial=0) if differences else (0.0, 0.0)
    return Agreement(len(images), detections, len(differences), additional, float(box), float(score), tolerance)


def _number(detections: list[dict], tolerance: Tolerance) -> int:
    return sum(one['score'] >= tolerance.threshold for one in detections)


def _matches(wanted: list[dict], found: list[dict], tolerance: Tolerance) -> list[tuple[dict, dict]]:
    """Pair equal detections, each once."""
    remaining, pairs = list(found), []
    for one in wanted:
        gaps = [(_gap(one, other), other) for other in remaining if other['class'] == one['class']]
        close = [(gap, other) for gap, other in gaps if gap[0] <= tolerance.box and gap[1] <= tolerance.score]
        if close:
            _, other = min(close, key=lambda each: each[0])
            remaining.remove(other)
            pairs.append((one, other))
    return pairs


def _gap(one: dict, other: dict) -> tuple[float, float]:
    box = max(abs(a - b) for a, b in zip(one['box'], other['box'], strict=True))
    return box, abs(one['score'] - other['score'])
