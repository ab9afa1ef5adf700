"""The worst errors, drawn on the images they were made in."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle

from mobilenext_det.datasets.image_check import BrokenImageError, read_image
from mobilenext_det.display.fonts import drawable, styled
from mobilenext_det.display.style import INK

from .average_precision import FALSE_POSITIVE, TRUE_POSITIVE
from .errors import KINDS, ErrorBreakdown
from .records import EvaluationSet
from .summary import Summary

WRONG, TRUTH = '#e5484d', '#30a46c'
COLUMNS, ROWS = 4, 3
CONTEXT = 1.9  # how much larger than the boxes the piece of image is


class Picture(NamedTuple):
    """One error to be drawn.

    Attributes:
        image: (H, W, 3) the whole image, BGR.
        caption: Two lines below the picture.
        wrong: (n, 4) boxes of the detection, none for a miss.
        truth: (n, 4) boxes of the object, none for background.
    """

    image: np.ndarray
    caption: str
    wrong: np.ndarray
    truth: np.ndarray


def worst_false_positives(data: EvaluationSet, summary: Summary, errors: ErrorBreakdown) -> list[Picture]:
    """The false positives of highest score whose images are at hand.

    Args:
        data: Objects and detections.
        summary: Their evaluation.
        errors: Kinds of the errors.
    """
    detections = data.detections
    rows = np.flatnonzero(summary.matches.outcome == FALSE_POSITIVE)
    rows = rows[np.argsort(-detections.scores[rows], kind='stable')]
    pictures = []
    for row, image in _readable(data, rows, detections.image):
        target, kind = errors.target[row], KINDS[errors.kind[row]]
        truth = data.objects.boxes[[target] if target >= 0 else []]
        on = f' on {data.classes[data.objects.label[target]]}' if kind in ('wrong class', 'both') else ''
        caption = (
            f'{data.classes[detections.label[row]]} {detections.scores[row]:.2f} · '
            f'{data.image_ids[detections.image[row]]}\n{kind}{on}'
        )
        pictures.append(Picture(image, caption, detections.boxes[[row]], truth))
    return pictures


def worst_misses(data: EvaluationSet, summary: Summary) -> list[Picture]:
    """The largest objects that no true positive from the score of best F1 on finds.

    Args:
        data: Objects and detections.
        summary: Their evaluation.
    """
    objects, matches = data.objects, summary.matches
    best_score = np.full(len(objects.label), -np.inf)
    hits = np.flatnonzero(matches.outcome == TRUE_POSITIVE)
    best_score[matches.best_object[hits]] = data.detections.scores[hits]
    threshold = summary.best.score if summary.best else -np.inf
    rows = np.flatnonzero(((best_score < threshold) | np.isneginf(best_score)) & ~objects.difficult)
    sizes = objects.boxes[:, 2:] - objects.boxes[:, :2]
    rows = rows[np.argsort(-sizes[rows].prod(1), kind='stable')]
    nothing, pictures = np.zeros((0, 4)), []
    for row, image in _readable(data, rows, objects.image):
        found = 'not found' if np.isneginf(best_score[row]) else f'only found with score {best_score[row]:.2f}'
        caption = f'{data.classes[objects.label[row]]} · {data.image_ids[objects.image[row]]}\n{found}'
        pictures.append(Picture(image, caption, nothing, objects.boxes[[row]]))
    return pictures


def contact_sheet(pictures: Sequence[Picture]) -> Figure:
    """Pictures in rows, detections red, objects green.

    Args:
        pictures: What to draw.
    """
    rows = math.ceil(len(pictures) / COLUMNS)
    with styled(picture.caption for picture in pictures):
        layout = ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.07)
        figure = Figure(figsize=(11, 2.55 * rows), layout=layout)
        axes = figure.subplots(rows, COLUMNS, squeeze=False)
        for cell in axes.flat[len(pictures) :]:
            cell.remove()
        for cell, picture in zip(axes.flat, pictures, strict=False):
            _draw(cell, picture)
    return figure


def _readable(data: EvaluationSet, rows: np.ndarray, image_of: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the first rows whose images can be read, with these: one an image, as many as fit on a sheet."""
    seen: set[int] = set()
    shown = 0
    for row, index in zip(rows.tolist(), image_of[rows].tolist(), strict=True):
        path = data.image_paths[index]
        if index in seen or not path:
            continue
        seen.add(index)
        try:
            image = read_image(path)
        except BrokenImageError:
            continue
        yield row, image
        shown += 1
        if shown == COLUMNS * ROWS:
            return


def _draw(axes: Axes, picture: Picture) -> None:
    height, width = picture.image.shape[:2]
    x1, y1, x2, y2 = _window(np.concatenate([picture.wrong, picture.truth]), (height, width))
    axes.imshow(picture.image[y1:y2, x1:x2, ::-1], extent=(x1, x2, y2, y1), interpolation='lanczos')
    for boxes, colour, style in ((picture.truth, TRUTH, (0, (4, 2))), (picture.wrong, WRONG, 'solid')):
        for left, top, right, bottom in boxes:
            corner, size = (left, top), (right - left + 1, bottom - top + 1)
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor='black', linewidth=3.2, alpha=0.35))
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=colour, linewidth=1.8, linestyle=style))
    axes.set(xlim=(x1, x2), ylim=(y2, y1), xticks=(), yticks=(), anchor='S')
    axes.set_xlabel('\n'.join(map(drawable, picture.caption.splitlines())), color=INK, fontsize=8.5, linespacing=1.5)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def _window(boxes: np.ndarray, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """A piece of the image around the boxes, of 4 to 3 where the image allows it."""
    height, width = shape
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    wide = max(*(high - low + 1) * (1, 4 / 3), 48) * CONTEXT
    span = np.minimum((wide, wide * 0.75), (width, height))
    start = np.clip((low + high - span) / 2, 0, (width, height) - span)
    x1, y1 = np.floor(start).astype(int)
    x2, y2 = np.ceil(start + span).astype(int)
    return x1, y1, min(x2, width), min(y2, height)
