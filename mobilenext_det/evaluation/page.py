"""The report as one HTML page that holds its pictures and needs nothing else, in light and in dark."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image

from mobilenext_det.display.tables import percent

from .errors import KINDS, ErrorBreakdown
from .summary import ClassResult, Summary

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --page: #f6f7f9; --ink: #1c2330; --soft: #667085; --line: #e4e7ec;
  --first: #4a7fc1; --second: #e0883b; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #171b22; --page: #0e1116; --ink: #e6e9ef; --soft: #98a2b3; --line: #2a303b; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 44px 24px 72px; }
h1 { font-size: 27px; line-height: 1.25; letter-spacing: -.015em; margin: 0 0 6px; }
h2 { font-size: 18px; letter-spacing: -.01em; margin: 0 0 4px; }
p { margin: 0; } .note { color: var(--soft); font-size: 13.5px; max-width: 88ch; }
section, .tile { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; }
section { padding: 24px 26px; margin-top: 18px; }
section img { display: block; max-width: 100%; height: auto; margin: 18px auto 0; }
.tiles { display: grid; grid-template-columns: repeat(var(--columns), 1fr); gap: 12px; margin-top: 24px; }
@media (max-width: 760px) { .tiles { grid-template-columns: repeat(2, 1fr); } }
.tile { padding: 14px 16px; } .tile b { display: block; font-size: 25px; line-height: 1.3; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; } b.long { font-size: 18px; line-height: 32.5px; }
.tile span { color: var(--soft); font-size: 12.5px; }
.first { color: var(--first); } .second { color: var(--second); }
.scroll { overflow-x: auto; margin-top: 16px; } .small { max-width: 640px; margin-left: auto; margin-right: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 500; white-space: nowrap; } th, td { padding: 6px 10px; text-align: right;
  border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child td { border-bottom: 0; } tr.all td { font-weight: 600; border-bottom: 2px solid var(--line); }
.bar { display: inline-block; vertical-align: middle; width: 84px; height: 7px; margin-left: 9px; border-radius: 4px;
  background: var(--line); overflow: hidden; } .bar i { display: block; height: 100%; background: var(--first); }
.bar.second i { background: var(--second); }
footer { color: var(--soft); font-size: 12.5px; margin-top: 22px; }
"""


def html_page(title: str, names: Sequence[str], summaries: Sequence[Summary], sections: Sequence[str]) -> str:
    """The page.

    Args:
        title: its heading.
        names: names of the one or two sets of detections.
        summaries: their evaluations.
        sections: what follows the headline numbers, as HTML.
    """
    first = summaries[0]
    note = f'{first.images} images. AP in percent at IoU {first.iou_threshold:g}; {first.policy}; {first.pixels}.'
    tiles = ''.join(_tiles(name if len(names) > 1 else '', s) for name, s in zip(names, summaries, strict=True))
    return frame(title, note, [tiles, *sections], 'summary.json')


def frame(title: str, note: str, parts: Sequence[str], numbers: str) -> str:
    """A page around its parts.

    Args:
        title: its heading.
        note: a sentence below the heading.
        parts: what follows, as HTML.
        numbers: name of the file that has all digits.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><main>'
        f'<h1>{escape(title)}</h1><p class="note">{escape(note)}</p>'
        + '\n'.join(parts)
        + '<footer>Written by mobilenext_det. Nothing is rounded but in print: '
        f'{escape(numbers)} next to this page has all digits.</footer></main></body></html>\n'
    )


def picture_section(heading: str, note: str, picture: Path | None, table: str = '', photos: bool = False) -> str:
    """A heading, a sentence, a picture and a table.

    Args:
        heading: the heading.
        note: what is to be seen.
        picture: the image file, None when there is none.
        table: HTML below the picture.
        photos: whether the picture is photographs, which are stored with some loss.
    """
    image = ''
    if picture:
        stored = io.BytesIO()
        with Image.open(picture) as opened:
            opened.save(stored, 'WEBP', lossless=not photos, quality=88)
            width = round(opened.width / opened.info['dpi'][0] * 96)
        source = base64.b64encode(stored.getvalue()).decode()
        image = f'<img alt="{escape(heading)}" style="width:{width}px" src="data:image/webp;base64,{source}">'
    return f'<section><h2>{escape(heading)}</h2><p class="note">{escape(note)}</p>{image}{table}</section>'


def class_rows(names: Sequence[str], summaries: Sequence[Summary]) -> str:
    """The table of classes.

    Args:
        names: names of the sets of detections.
        summaries: their evaluations.
    """
    if len(summaries) == 1:
        heads = ['class', 'objects', 'difficult', 'detections', 'TP', 'FP', 'AP 11 points', 'AP area']
        heads += ['precision', 'recall', 'at score']
        rows = [_class_row(result) for result in summaries[0].classes]
        total = _total_row(summaries[0])
    else:
        heads = ['class', 'objects', *(f'AP 11 points, {name}' for name in names), 'difference']
        rows = [_pair_row(*results) for results in zip(*(summary.classes for summary in summaries), strict=True)]
        values = [summary.mAP_11points for summary in summaries]
        total = ['all', _sum(summaries[0], 'objects'), *map(_bar, values, ('', ' second')), _difference(*values)]
    return html_table(heads, [total, *rows], 'scroll', first_row='all')


def error_rows(names: Sequence[str], breakdowns: Sequence[ErrorBreakdown]) -> str:
    """The table of errors.

    Args:
        names: names of the sets of detections.
        breakdowns: their errors.
    """
    suffixes = [f', {name}' for name in names] if len(names) > 1 else ['']
    heads = ['error', *(f'{what}{suffix}' for suffix in suffixes for what in ('count', 'mAP points lost'))]
    rows = [
        [kind, *(text for b in breakdowns for text in (f'{b.counts[kind]:,}', percent(b.cost[kind])))] for kind in KINDS
    ]
    return html_table(heads, rows, 'scroll' if len(names) > 1 else 'scroll small')


def html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], style: str = 'scroll', first_row: str = '') -> str:
    """A table.

    Args:
        heads: headings of the columns.
        rows: cells as HTML.
        style: class of the box around the table.
        first_row: class of the first row.
    """
    head = ''.join(f'<th>{escape(text)}</th>' for text in heads)
    body = ''
    for index, row in enumerate(rows):
        cells = ''.join(f'<td>{cell}</td>' for cell in row)
        body += f'<tr{f" class={first_row}" if first_row and index == 0 else ""}>{cells}</tr>'
    return f'<div class="{style}"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _tiles(name: str, summary: Summary) -> str:
    values = {'mAP, 11 points': percent(summary.mAP_11points), 'mAP, area': percent(summary.mAP_area)}
    if summary.coco:
        sizes = (f'{100 * summary.coco[f"AP_{size}"]:.1f}' for size in ('small', 'medium', 'large'))
        values['AP, IoU .50 to .95'] = percent(summary.coco['AP'])
        values['AP small / medium / large'] = ' / '.join(sizes).replace('nan', '–')
    if summary.best:
        values['precision at best F1'] = percent(summary.best.precision)
        values['recall at best F1'] = percent(summary.best.recall)
    values['objects'] = _sum(summary, 'objects')
    values['detections'] = _sum(summary, 'detections')
    columns = len(values) if len(values) <= 6 else (len(values) + 1) // 2
    tiles = ''.join(
        f'<div class="tile">{_large(value)}<span>{escape(key)}</span></div>' for key, value in values.items()
    )
    return (
        f'<h2 style="margin-top:24px">{escape(name)}</h2>' if name else ''
    ) + f'<div class="tiles" style="--columns:{columns}">{tiles}</div>'


def _large(value: str) -> str:
    return f'<b class=long>{value}</b>' if len(value) > 12 else f'<b>{value}</b>'


def _class_row(result: ClassResult) -> list[str]:
    counts = (result.objects, result.difficult, result.detections, result.true_positives, result.false_positives)
    best = result.best
    point = [percent(best.precision), percent(best.recall), f'{best.score:.3f}'] if best else ['–'] * 3
    numbers = [f'{count:,}' for count in counts]
    return [escape(result.name), *numbers, _bar(result.AP_11points), percent(result.AP_area), *point]


def _total_row(summary: Summary) -> list[str]:
    fields = ('objects', 'difficult', 'detections', 'true_positives', 'false_positives')
    best = summary.best
    point = [percent(best.precision), percent(best.recall), f'{best.score:.3f}'] if best else ['–'] * 3
    sums = [_sum(summary, field) for field in fields]
    return ['all', *sums, _bar(summary.mAP_11points), percent(summary.mAP_area), *point]


def _pair_row(first: ClassResult, second: ClassResult) -> list[str]:
    values = first.AP_11points, second.AP_11points
    return [escape(first.name), f'{first.objects:,}', *map(_bar, values, ('', ' second')), _difference(*values)]


def _sum(summary: Summary, field: str) -> str:
    return f'{sum(getattr(result, field) for result in summary.classes):,}'


def _difference(first: float, second: float) -> str:
    return f'{100 * (second - first):+.2f}' if first == first and second == second else '–'


def _bar(value: float, colour: str = '') -> str:
    width = 100 * value if value == value else 0
    return f'{percent(value)}<span class="bar{colour}"><i style="width:{width:.1f}%"></i></span>'
