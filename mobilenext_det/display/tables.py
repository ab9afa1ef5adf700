"""Tables of plain text, for the terminal, log files and documents."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table


def percent(value: float) -> str:
    """A share in percent with two digits; a dash where it is undefined."""
    return '-' if math.isnan(value) else f'{100 * value:.2f}'


def markdown_table(words: Sequence[str], numbers: Sequence[str]) -> Table:
    """An empty table in Markdown.

    Args:
        words: headings of the columns of words, which come first.
        numbers: headings of the columns of numbers.
    """
    table = Table(box=box.MARKDOWN)
    for heading in words:
        table.add_column(heading, no_wrap=True)
    for heading in numbers:
        table.add_column(heading, justify='right', no_wrap=True)
    return table


def render(table: Table) -> str:
    """A rich table as plain text without trailing blanks."""
    console = Console(file=io.StringIO(), width=200, color_system=None)
    console.print(table)
    return '\n'.join(line.rstrip() for line in console.file.getvalue().splitlines() if line.strip())
