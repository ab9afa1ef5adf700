"""A folder that shows how good detections are and where they fail: an HTML page, pictures as PNG, numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from .charts import average_precision_bars, confusion_map, error_bars, precision_recall_curves
from .confusion import confusion_matrix
from .errors import BACKGROUND_IOU, break_down
from .gallery import Picture, contact_sheet, worst_false_positives, worst_misses
from .page import class_rows, error_rows, html_page, picture_section
from .records import EvaluationSet
from .summary import Summary


class Judged(NamedTuple):
    """A set of detections that was judged.

    Attributes:
        name: what to call it.
        data: objects and detections.
        summary: the evaluation.
    """

    name: str
    data: EvaluationSet
    summary: Summary


def write_report(folder: str | Path, sets: Sequence[Judged], title: str = 'VOC evaluation') -> Path:
    """Write the page, the pictures and summary.json.

    Args:
        folder: where they go; it is made when missing.
        sets: one set of detections, or two to be compared on the same objects; confusion and single errors are shown of
            the first.
        title: heading of the page.

    Returns:
        The page, index.html.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names, summaries = [judged.name for judged in sets], [judged.summary for judged in sets]
    breakdowns = [break_down(judged.data, judged.summary) for judged in sets]
    _, data, summary = sets[0]
    of_first = f' Of {names[0]}.' if len(sets) > 1 else ''
    score = summary.best.score if summary.best else 0.0

    def save(name: str, figure: Figure) -> Path:
        figure.savefig(folder / name)
        return folder / name

    def photos(heading: str, note: str, name: str, pictures: list[Picture]) -> str:
        if not pictures:
            return picture_section(heading, f'{note} There are none, or their images are not at hand.', None)
        return picture_section(heading, note, save(name, contact_sheet(pictures)), photos=True)

    sections = [
        picture_section(
            'Average precision by class',
            'TP and FP count all detections; precision and recall are given where F1 is highest.',
            save('average_precision.png', average_precision_bars(names, summaries)),
            class_rows(names, summaries),
        ),
        picture_section(
            'Precision and recall',
            'Thin: as measured. Bold: the envelope whose area is AP. Dot: the highest F1.',
            save('precision_recall.png', precision_recall_curves(names, summaries)),
        ),
        picture_section(
            'What errors cost',
            'Gain in mAP (area) if all errors of one kind alone were repaired, after TIDE. Poor box: right class, IoU '
            f'from {BACKGROUND_IOU:g} to {summary.iou_threshold:g}. Wrong class: on an object of another class. '
            'Duplicate: the object is taken. Both: wrong class and poor box.',
            save('errors.png', error_bars(names, breakdowns)),
            error_rows(names, breakdowns),
        ),
        picture_section(
            'Confusion between classes',
            f'Objects by what they were detected as, from score {score:.3f} on, where F1 is highest; depth of colour '
            f'is the share of the row.{of_first}',
            save('confusion.png', confusion_map(data.classes, confusion_matrix(data, score, summary.iou_threshold))),
        ),
        photos(
            'Worst false positives',
            f'Highest scores first, one an image. Red: the detection. Green: the object it is about.{of_first}',
            'false_positives.png',
            worst_false_positives(data, summary, breakdowns[0]),
        ),
        photos(
            'Worst misses',
            f'The largest objects not found with a score of {score:.3f} or more, one an image.{of_first}',
            'misses.png',
            worst_misses(data, summary),
        ),
    ]
    results = {
        judged.name: judged.summary.as_dict() | {'errors': b.as_dict()}
        for judged, b in zip(sets, breakdowns, strict=True)
    }
    (folder / 'summary.json').write_text(json.dumps(results, indent=2) + '\n')
    page = folder / 'index.html'
    page.write_text(html_page(title, names, summaries, sections), encoding='utf-8')
    return page
