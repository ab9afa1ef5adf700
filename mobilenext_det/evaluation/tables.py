"""Results as tables of plain text, for the terminal, the log file and documents."""

from __future__ import annotations

from collections.abc import Sequence

from mobilenext_det.display.tables import markdown_table, percent, render

from .errors import KINDS, ErrorBreakdown
from .summary import OperatingPoint, Summary


def class_table(summary: Summary, modes: tuple[str, ...] = ('11points', 'area')) -> str:
    """One row a class and the mean below, in Markdown.

    Args:
        summary: what to show.
        modes: which average precisions to show.
    """
    counts = ('objects', 'difficult', 'detections', 'TP', 'FP')
    aps = (f'AP {mode}' for mode in modes)
    table = markdown_table(['class'], [*counts, *aps, 'precision', 'recall', 'at score'])
    for row in summary.classes:
        numbers = (row.objects, row.difficult, row.detections, row.true_positives, row.false_positives)
        aps = (percent(getattr(row, f'AP_{mode}')) for mode in modes)
        table.add_row(row.name, *map(str, numbers), *aps, *_point(row.best))
    fields = ('objects', 'difficult', 'detections', 'true_positives', 'false_positives')
    totals = (sum(getattr(row, field) for row in summary.classes) for field in fields)
    means = (percent(getattr(summary, f'mAP_{mode}')) for mode in modes)
    table.add_row('all', *map(str, totals), *means, *_point(summary.best))
    return render(table)


def error_table(names: Sequence[str], breakdowns: Sequence[ErrorBreakdown]) -> str:
    """One row a kind of error: how many there are and what they cost, in Markdown.

    Args:
        names: names of the sets of detections.
        breakdowns: their errors.
    """
    suffixes = [f', {name}' for name in names] if len(names) > 1 else ['']
    table = markdown_table(['error'], [f'{what}{suffix}' for suffix in suffixes for what in ('errors', 'mAP lost')])
    for kind in KINDS:
        cells = (text for b in breakdowns for text in (str(b.counts[kind]), percent(b.cost[kind])))
        table.add_row(kind, *cells)
    return render(table)


def coco_line(summary: Summary) -> str:
    """COCO's average precisions in one line; empty when they were not computed."""
    return '  '.join(f'{name} {percent(value)}' for name, value in summary.coco.items())


def footnotes(summary: Summary) -> str:
    """What the numbers of the table mean."""
    return (
        f'{summary.images} images; AP in percent at IoU {summary.iou_threshold:g}; {summary.policy}; {summary.pixels}; '
        'precision and recall where F1 is highest.'
    )


def _point(point: OperatingPoint | None) -> tuple[str, str, str]:
    return (percent(point.precision), percent(point.recall), f'{point.score:.3f}') if point else ('-', '-', '-')
