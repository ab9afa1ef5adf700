"""How fast each detector learns: its mAP on the validation part over the time of its training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt

from mobilenext_det.display.fonts import styled
from mobilenext_det.display.palette import colour_of

SCORES = ('coco/bbox_mAP_50', 'voc/mAP_area')
"""mAP at IoU 0.5 as MMDetection's configs log it, and as ours do; on one set of detections they differ by a tenth."""

Curve = list[tuple[float, float]]
"""The share of the training that was over at each validation, and the mAP at IoU 0.5."""


def read_curve(work_dir: Path) -> Curve:
    """Return the curve of the last training in a work dir, which was validated after its last step."""
    log = sorted(work_dir.glob('*/vis_data/scalars.json'))[-1]
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    points = [(row['step'], row[score]) for row in rows for score in SCORES if score in row]
    last = points[-1][0]
    return [(round(step / last, 4), round(value, 4)) for step, value in points]


def draw_curves(curves: Mapping[str, Sequence[Curve]], minutes: float, path: Path) -> None:
    """Draw the curves of all runs.

    Args:
        curves: Those of each detector, one a seed.
        minutes: How long each trained.
        path: The PNG to write.
    """
    with styled():
        figure, axes = plt.subplots(figsize=(6, 3.2))
        for index, (detector, seeds) in enumerate(curves.items()):
            for seed, curve in enumerate(seeds):
                shares, values = zip(*curve, strict=True)
                axes.plot(
                    [minutes * share for share in shares],
                    [100 * value for value in values],
                    color=colour_of(index),
                    label=None if seed else detector,
                )
        axes.set(xlabel='minutes', ylabel='mAP at IoU 0.5, validation part, %', xlim=(0, minutes), ylim=(0, 100))
        axes.legend()
        figure.tight_layout()
        figure.savefig(path)
        plt.close(figure)
