"""A comparison as Markdown, as JSON, as one HTML page, and as tables on the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mobilenext_det.display.page import Section, html_page
from mobilenext_det.display.tables import Table
from mobilenext_det.files import write_atomically

from .notes import Notes, by_chance, notes
from .results import Comparison
from .tables import accuracy_table, class_table, cost_table, run_table

MEANING = 'What these numbers mean'


def write_report(out: str | Path, comparison: Comparison) -> Path:
    """Write comparison.md, comparison.json, comparison.html and the plots.

    Args:
        out: Folder of the comparison.
        comparison: The numbers.

    Returns:
        The HTML page.
    """
    from .charts import draw_charts  # matplotlib is for those who want pictures

    page = Path(out, 'comparison.html')
    plots = draw_charts(comparison, Path(out, 'plots'))
    said = notes(comparison)
    sections = _sections(comparison, said, plots)
    title = f'Comparison of {len(comparison.configs)} detectors'
    meaning = Section(MEANING, said.meaning)
    write_atomically(html_page(title, said.accuracy, [*sections, meaning], 'comparison.json').encode(), page)
    numbers = json.dumps(comparison.as_dict(), indent=1, allow_nan=False)
    write_atomically(f'{numbers}\n'.encode(), page.with_suffix('.json'))
    write_atomically(_markdown(title, said, sections).encode(), page.with_suffix('.md'))
    return page


def print_tables(comparison: Comparison) -> None:
    """Print accuracy and cost on the terminal.

    Args:
        comparison: The numbers.
    """
    console = Console()
    console = console if console.is_terminal else Console(width=160)
    for table in (accuracy_table(comparison), cost_table(comparison)):
        console.print(table.rich(), highlight=False)
    said = notes(comparison)
    console.print(f'{said.accuracy}\n{said.intervals}', style='dim', highlight=False, markup=False)


def _sections(comparison: Comparison, said: Notes, plots: dict[str, Path]) -> list[Section]:
    """The parts of the report, each with a plot, a table or both."""
    sections = [
        Section(
            'Accuracy',
            ['Dot: mean over the runs. Line: its interval. Ticks: the single runs.'],
            plots['accuracy'],
            accuracy_table(comparison),
        ),
        Section(
            'Differences',
            [
                f'From {comparison.first}. Measured on the same resamples of the test images, which is why these '
                'intervals say more than a look at whether those above overlap.'
            ],
            plots['differences'],
        ),
        Section('Cost', said.cost, None, cost_table(comparison)),
        Section(
            'Classes',
            [f'AP of {comparison.first} and the differences of the others. Of such intervals, {by_chance(comparison)}'],
            plots['classes'],
            class_table(comparison),
        ),
    ]
    if 'curves' in plots:
        curves = 'Thin: single runs. Bold: their mean. The loss is averaged over stretches of the training.'
        sections.append(Section('Learning curves', [curves], plots['curves']))
    runs = Section('Runs', ['Each training, or checkpoint that was given.'], None, run_table(comparison))
    return [*sections, runs]


def _markdown(title: str, said: Notes, sections: Sequence[Section]) -> str:
    parts = [f'# {title}']
    for section in sections:
        parts.append(f'## {section.heading}')
        if section.table:
            parts.append(_table(section.table))
        if section.picture:
            parts.append(f'![{section.heading}](plots/{section.picture.name})')
    sentences = '\n'.join(f'- {sentence}' for sentence in (said.accuracy, *said.meaning))
    return '\n\n'.join([*parts, f'## {MEANING}', sentences]) + '\n'


def _table(table: Table) -> str:
    """A table in Markdown as short as it can be: a report of many classes and configs is read on a page."""
    marks = [':--' if column.words else '--:' for column in table.columns]
    heads = [column.heading for column in table.columns]
    return '\n'.join(f'| {" | ".join(row)} |' for row in (heads, marks, *table.texts()))
