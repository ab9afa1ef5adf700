"""A folder that shows how good detections are and where they fail: an HTML page, pictures as PNG, numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mobilenext_det.display.page import Section, Tiles, html_page
from mobilenext_det.display.tables import number, percent

from .charts import average_precision_bars, confusion_map, error_bars, precision_recall_curves
from .confusion import confusion_matrix
from .errors import BACKGROUND_IOU, break_down
from .gallery import Picture, contact_sheet, worst_false_positives, worst_misses
from .summary import Evaluated, Summary
from .tables import class_table, error_table, pair_table


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
    names, summaries = [each.name for each in sets], [each.summary for each in sets]
    breakdowns = [break_down(each.data, each.summary) for each in sets]
    _, data, summary = sets[0]
    of_first = f' Of {names[0]}.' if len(sets) > 1 else ''
    score = summary.best.score if summary.best else 0.0

    def save(name: str, figure: Figure) -> Path:
        figure.savefig(folder / name)
        return folder / name

    def photos(heading: str, note: str, name: str, pictures: list[Picture]) -> Section:
        if not pictures:
            return Section(heading, [f'{note} There are none, or their images are not at hand.'])
        return Section(heading, [note], save(name, contact_sheet(pictures)), photos=True)

    sections = [
        Section(
            'Average precision by class',
            ['TP and FP count all detections; precision and recall are given where F1 is highest.'],
            save('average_precision.png', average_precision_bars(names, summaries)),
            class_table(summary) if len(sets) == 1 else pair_table(names, summaries),
        ),
        Section(
            'Precision and recall',
            ['Thin: as measured. Bold: the envelope whose area is AP. Dot: the highest F1.'],
            save('precision_recall.png', precision_recall_curves(names, summaries)),
        ),
        Section(
            'What errors cost',
            [
                'Gain in mAP (area) if all errors of one kind alone were repaired, after TIDE. Poor box: right class, '
                f'IoU from {BACKGROUND_IOU:g} to {summary.iou_threshold:g}. Wrong class: on an object of another '
                'class. Duplicate: the object is taken. Both: wrong class and poor box.'
            ],
            save('errors.png', error_bars(names, breakdowns)),
            error_table(names, breakdowns),
        ),
        Section(
            'Confusion between classes',
            [
                f'Objects by what they were detected as, from score {score:.3f} on, where F1 is highest; depth of '
                f'colour is the share of the row.{of_first}'
            ],
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
        each.name: each.summary.as_dict() | {'errors': breakdown.as_dict()}
        for each, breakdown in zip(sets, breakdowns, strict=True)
    }
    (folder / 'summary.json').write_text(json.dumps(results, indent=2) + '\n')
    page = folder / 'index.html'
    note = (
        f'{summary.images} images. AP in percent at IoU {summary.iou_threshold:g}; {summary.policy}; {summary.pixels}.'
    )
    tiles = [_tiles(each, name if len(names) > 1 else '') for name, each in zip(names, summaries, strict=True)]
    page.write_text(html_page(title, note, sections, 'summary.json', tiles=tiles), encoding='utf-8')
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
