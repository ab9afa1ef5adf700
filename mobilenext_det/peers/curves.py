"""How fast each detector learns: its mAP on the validation part over the time of its training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mobilenext_det.analysis.curves import read_curve
from mobilenext_det.display.fonts import styled
from mobilenext_det.display.palette import colour_of

SCORES = ('bbox_mAP_50', 'mAP_area')
"""mAP at IoU 0.5 as MMDetection's configs log it, and as ours do; on one set of detections they differ by a tenth."""

LearningCurve = list[tuple[float, float]]
"""The share of the training that was over at each validation, and the mAP at IoU 0.5."""


def learning_curve(work_dir: Path, steps: int) -> LearningCurve:
    """Return the curve of a training; COCO's metric says nothing where nothing was detected.

    Args:
        work_dir: Its work dir.
        steps: How long it was, in what its validations count: epochs or iterations.
    """
    points = [(row['step'] / steps, row[score]) for row in read_curve(work_dir).val for score in SCORES if score in row]
    return [(round(share, 4), round(value, 4)) for share, value in points]


def draw_curves(curves: Mapping[str, Sequence[LearningCurve]], minutes: float, path: Path) -> None:
    """Draw the curves of all runs.

    Args:
        curves: Those of each detector, one a seed.
        minutes: How long each trained.
        path: The PNG to write.
    """
    with styled():
        figure = Figure(figsize=(6, 3.2), layout='constrained')
        axes = figure.subplots()
        for index, (detector, seeds) in enumerate(curves.items()):
            for seed, curve in enumerate(seeds):
                axes.plot(
                    [minutes * share for share, _ in curve],
                    [100 * value for _, value in curve],
                    color=colour_of(index),
                    label=None if seed else detector,
                )
        axes.set(xlabel='minutes', ylabel='mAP at IoU 0.5, validation part, %', xlim=(0, minutes), ylim=(0, 100))
        axes.legend()
        figure.savefig(path)
