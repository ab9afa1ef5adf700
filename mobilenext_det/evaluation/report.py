"""A folder that shows how good detections are and where they fail: an HTML page, pictures as PNG, numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mobilenext_det.display.page import Section, Tiles, html_page
from mobilenext_det.display.tables import number, percent
from mobilenext_det.files import write_atomically

from .charts import average_precision_bars, confusion_map, error_bars, precision_recall_curves
from .confusion import confusion_matrix
from .errors import BACKGROUND_IOU, ErrorBreakdown, break_down
from .gallery import Picture, contact_sheet, worst_false_positives, worst_misses
from .summary import Evaluated, Summary
from .tables import class_table, error_table, pair_table, problem_table

NUMBERS = 'summary.json'


def write_report(folder: str | Path, sets: Sequence[Evaluated], title: str = 'VOC evaluation') -> Path:
    """Write the page, the pictures and summary.json.

    Args:
        folder: Where they go; it is made when missing.
        sets: One set of detections, or two to be compared on the same objects; confusion and single errors are shown of
            the first.
        title: Heading of the page.

    Returns:
        The page, index.html.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    breakdowns = [break_down(each.data, each.summary) for each in sets]
    results = {
        each.name: each.summary.as_dict() | {'errors': breakdown.as_dict()}
        for each, breakdown in zip(sets, breakdowns, strict=True)
    }
    write_atomically(f'{json.dumps(results, indent=2)}\n'.encode(), folder / NUMBERS)
    several, summary = len(sets) > 1, sets[0].summary
    note = (
        f'{summary.images} images. AP in percent at IoU {summary.iou_threshold:g}; {summary.policy}; {summary.pixels}.'
    )
    sections = [*_of_all(sets, breakdowns, folder), *_of_first(sets[0], breakdowns[0], folder, several)]
    tiles = [_tiles(each.summary, each.name if several else '') for each in sets]
    page = folder / 'index.html'
    write_atomically(html_page(title, note, sections, NUMBERS, tiles=tiles).encode(errors='backslashreplace'), page)
    return page


def _tiles(summary: Summary, heading: str) -> Tiles:
    values = {'mAP, 11 points': percent(summary.mAP_11points), 'mAP, area': percent(summary.mAP_area)}
    if summary.coco:
        values['AP, IoU .50 to .95'] = percent(summary.coco['AP'])
        sizes = (100 * summary.coco[f'AP_{size}'] for size in ('small', 'medium', 'large'))
        values['AP small / medium / large'] = ' / '.join(number(size, 1) for size in sizes)
    if summary.best:
        values['precision at best F1'] = percent(summary.best.precision)
        values['recall at best F1'] = percent(summary.best.recall)
    values |= {count: number(summary.total(count)) for count in ('objects', 'detections')}
    return Tiles(values, heading)


def _of_all(sets: Sequence[Evaluated], breakdowns: Sequence[ErrorBreakdown], folder: Path) -> list[Section]:
    """What is shown of one set, and of two side by side."""
    names, summaries = [each.name for each in sets], [each.summary for each in sets]
    threshold = summaries[0].iou_threshold
    altered = problem_table(summaries[0])
    return [
        Section(
            'Average precision by class',
            ['TP and FP count all detections; precision and recall are given where F1 is highest.'],
            _save(average_precision_bars(names, summaries), folder / 'average_precision.png'),
            class_table(summaries[0]) if len(sets) == 1 else pair_table(names, summaries),
        ),
        *([Section('What reading did to the ground truth', table=altered)] if altered else []),
        Section(
            'Precision and recall',
            ['Thin: as measured. Bold: the envelope whose area is AP. Dot: the highest F1.'],
            _save(precision_recall_curves(names, summaries), folder / 'precision_recall.png'),
        ),
        Section(
            'What errors cost',
            [
                'Gain in mAP (area) if all errors of one kind alone were repaired, after TIDE. Poor box: right class, '
                f'IoU from {BACKGROUND_IOU:g} to {threshold:g}. Wrong class: on an object of another class. Duplicate: '
                'the object is taken. Both: wrong class and poor box.'
            ],
            _save(error_bars(names, breakdowns), folder / 'errors.png'),
            error_table(names, breakdowns),
        ),
    ]


def _of_first(first: Evaluated, breakdown: ErrorBreakdown, folder: Path, several: bool) -> list[Section]:
    """What is shown of the first set alone."""
    name, data, summary = first
    of_first = f' Of {name}.' if several else ''
    score = summary.best.score if summary.best else 0.0
    confusion = confusion_map(data.classes, confusion_matrix(data, score, summary.iou_threshold))
    return [
        Section(
            'Confusion between classes',
            [
                f'Objects by what they were detected as, from score {score:.3f} on, where F1 is highest; depth of '
                f'colour is the share of the row.{of_first}'
            ],
            _save(confusion, folder / 'confusion.png'),
        ),
        _photos(
            'Worst false positives',
            f'Highest scores first, one an image. Red: the detection. Green: the object it is about.{of_first}',
            worst_false_positives(data, summary, breakdown),
            folder / 'false_positives.png',
        ),
        _photos(
            'Worst misses',
            f'The largest objects not found with a score of {score:.3f} or more, one an image.{of_first}',
            worst_misses(data, summary),
            folder / 'misses.png',
        ),
    ]


def _photos(heading: str, note: str, pictures: Sequence[Picture], path: Path) -> Section:
    if not pictures:
        return Section(heading, [f'{note} There are none, or their images are not at hand.'])
    return Section(heading, [note], _save(contact_sheet(pictures), path), photos=True)


def _save(figure: Figure, path: Path) -> Path:
    figure.savefig(path)
    return path
