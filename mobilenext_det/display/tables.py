"""Tables that are defined once and drawn three times: in Markdown, by rich on the terminal, by `page` in HTML."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import table as rich_table
from rich.cells import cell_len
from rich.text import Text

UNDEFINED = '-'


def percent(value: float | None) -> str:
    """Write a share in percent with two digits; None and NaN are undefined."""
    return UNDEFINED if value is None or math.isnan(value) else f'{100 * value:.2f}'


def points(value: float | None) -> str:
    """Write the difference of two shares in percentage points, with its sign."""
    return UNDEFINED if value is None or math.isnan(value) else f'{100 * value:+.2f}'


def number(value: float | None, digits: int = 0) -> str:
    """Write a number with commas between thousands."""
    return UNDEFINED if value is None or math.isnan(value) else f'{value:,.{digits}f}'


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: What stands above it.
        text: What writes a cell's value, for example :func:`percent`.
        words: Whether it stands to the left, as words do, and not to the right, as numbers.
        bar: The place in the palette of the colour of bars beside the cells, which are shares in [0, 1] then. Only a
            page has bars. None for none.
    """

    heading: str
    text: Callable[[Any], str] = str
    words: bool = False
    bar: int | None = None


@dataclass
class Table:
    """Columns and the values below them; how a value is written is the column's affair.

    Attributes:
        columns: The columns.
        rows: A value for each column in every row.
        total: One more row for the whole: the last in text, the first on a page.
    """

    columns: Sequence[Column]
    rows: list[Sequence[Any]] = field(default_factory=list)
    total: Sequence[Any] | None = None

    def add_row(self, *values: Any) -> None:
        """Add a row."""
        self.rows.append(values)

    def written(self, row: Sequence[Any]) -> list[str]:
        """Return a row as it is written.

        Args:
            row: A value for each column.
        """
        texts = (column.text(value) for column, value in zip(self.columns, row, strict=True))
        return [text.encode(errors='backslashreplace').decode() for text in texts]  # UTF-8 has no half characters

    def texts(self) -> list[list[str]]:
        """Return all rows as they are written, the total last."""
        return [self.written(row) for row in (*self.rows, *([] if self.total is None else [self.total]))]

    def markdown(self) -> str:
        """Return the table in Markdown, aligned to be read as it is, too."""
        rows = [[_in_markdown(cell) for cell in row] for row in ([c.heading for c in self.columns], *self.texts())]
        widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
        head, *body = (self._line(row, widths) for row in rows)
        return '\n'.join([head, '|'.join(['', *('-' * (width + 2) for width in widths), '']), *body])

    def rich(self) -> rich_table.Table:
        """Return the table for a rich console."""
        drawn = rich_table.Table()
        for column in self.columns:
            drawn.add_column(Text(column.heading), justify='left' if column.words else 'right', overflow='fold')
        for row in self.texts():
            drawn.add_row(*map(Text, row))
        return drawn

    def _line(self, cells: Iterable[str], widths: Sequence[int]) -> str:
        padded = []
        for column, cell, width in zip(self.columns, cells, widths, strict=True):
            blanks = ' ' * (width - cell_len(cell))
            padded.append(cell + blanks if column.words else blanks + cell)
        return f'| {" | ".join(padded)} |'


def _in_markdown(text: str) -> str:
    """Escape what would end a cell or be taken for HTML or emphasis."""
    return re.sub(r'([|<*`])', r'\\\1', ' '.join(text.split()))
