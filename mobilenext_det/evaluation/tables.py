"""The tables of an evaluation, for terminal, log, documents and page, and the lines around them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.display.tables import Column, Table, number, percent, points

from .errors import KINDS, ErrorBreakdown
from .summary import OperatingPoint, Summary

MODES = {'11points': '11 points', 'area': 'area'}
_COUNTS = {
    'objects': 'objects',
    'difficult': 'difficult',
    'detections': 'detections',
    'true_positives': 'TP',
    'false_positives': 'FP',
}


def class_table(summary: Summary, modes: Sequence[str] = tuple(MODES)) -> Table:
    """One row a class; the total has the means of average precision and the sums of the counts.

    Args:
        summary: What to show.
        modes: Which average precisions to show.
    """
    columns = [
        Column('class', words=True),
        *(Column(heading, number) for heading in _COUNTS.values()),
        *(Column(f'AP {MODES[mode]}', percent, bar=0 if mode == '11points' else None) for mode in modes),
        *(Column(heading, percent) for heading in ('precision', 'recall')),
        Column('at score', partial(number, digits=3)),
    ]
    sums = (summary.total(count) for count in _COUNTS)
    means = (getattr(summary, f'mAP_{mode}') for mode in modes)
    table = Table(columns, total=('all', *sums, *means, *_point(summary.best)))
    for result in summary.classes:
        counts = (getattr(result, count) for count in _COUNTS)
        precisions = (getattr(result, f'AP_{mode}') for mode in modes)
        table.add_row(result.name, *counts, *precisions, *_point(result.best))
    return table


def pair_table(names: Sequence[str], summaries: Sequence[Summary]) -> Table:
    """One row a class: 11-point average precision of two sets of detections, and the difference of the second.

    Args:
        names: Names of the two sets.
        summaries: Their evaluations.
    """
    columns = [
        Column('class', words=True),
        Column('objects', number),
        *(Column(f'AP 11 points, {name}', percent, bar=index) for index, name in enumerate(names)),
        Column('difference', points),
    ]
    first, second = summaries
    means = first.mAP_11points, second.mAP_11points
    table = Table(columns, total=('all', first.total('objects'), *means, means[1] - means[0]))
    for a, b in zip(first.classes, second.classes, strict=True):
        table.add_row(a.name, a.objects, a.AP_11points, b.AP_11points, b.AP_11points - a.AP_11points)
    return table


def error_table(names: Sequence[str], breakdowns: Sequence[ErrorBreakdown]) -> Table:
    """One row a kind of error: how many there are and what they cost.

    Args:
        names: Names of the sets of detections.
        breakdowns: Their errors.
    """
    columns = [Column('error', words=True)]
    for suffix in (f', {name}' for name in names) if len(names) > 1 else ('',):
        columns += [Column(f'errors{suffix}', number), Column(f'mAP points lost{suffix}', percent)]
    return Table(columns, [(kind, *(v for b in breakdowns for v in (b.counts[kind], b.cost[kind]))) for kind in KINDS])


def problem_table(summary: Summary) -> Table | None:
    """One row for each kind of problem in the ground truth: how often, and what was done; None where there is none."""
    if not summary.problems:
        return None
    table = Table([Column('ground truth', words=True), Column('count', number), Column('action', words=True)])
    for name, count in sorted(summary.problems.items(), key=lambda item: -item[1]):
        table.add_row(Kind[name].text, count, Kind[name].action)
    return table


def results_text(summary: Summary, modes: Sequence[str] = tuple(MODES)) -> str:
    """Everything that is printed of an evaluation: classes, what was done to the ground truth, and what numbers mean.

    Args:
        summary: What to show.
        modes: Which average precisions to show.
    """
    altered = problem_table(summary)
    parts = (class_table(summary, modes).markdown(), altered.markdown() if altered else '', coco_line(summary))
    return '\n'.join([*filter(None, parts), footnotes(summary)])


def coco_line(summary: Summary) -> str:
    """COCO's average precisions in one line; empty when they were not computed."""
    values = '  '.join(f'{name} {percent(value)}' for name, value in summary.coco.items())
    return values and f'COCO, IoU 0.5 to 0.95 if no other is named:  {values}'


def footnotes(summary: Summary) -> str:
    """What the numbers of the table mean."""
    return (
        f'{summary.images} images; AP in percent at IoU {summary.iou_threshold:g}; {summary.policy}; {summary.pixels}; '
        'precision and recall where F1 is highest.'
    )


def _point(point: OperatingPoint | None) -> tuple[float | None, float | None, float | None]:
    return (point.precision, point.recall, point.score) if point else (None, None, None)
