"""An HTML page that holds its pictures and needs nothing else, in light and in dark; `templates/` has its look."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from .palette import colour_of
from .tables import Table


@dataclass(frozen=True)
class Tiles:
    """Numbers in large print.

    Attributes:
        values: What is large, by what stands below it.
        heading: What stands above all; empty for nothing.
    """

    values: Mapping[str, str]
    heading: str = ''


@dataclass(frozen=True)
class Section:
    """A part of the page, from top to bottom.

    Attributes:
        heading: Its heading.
        notes: Paragraphs below it.
        picture: An image file with its resolution; None for no picture.
        table: A table; None for no table.
        photos: Whether the picture is photographs, which are stored with some loss.
    """

    heading: str
    notes: Sequence[str] = ()
    picture: Path | None = None
    table: Table | None = None
    photos: bool = field(default=False, kw_only=True)


def html_page(title: str, note: str, sections: Sequence[Section], numbers: str, *, tiles: Sequence[Tiles] = ()) -> str:
    """Return the page. Every text is escaped.

    Args:
        title: Its heading.
        note: A sentence below the heading.
        sections: Its parts.
        numbers: Name of the file next to it that has all digits.
        tiles: Headline numbers in front of the parts, a group for each thing that is compared.
    """
    return (
        _environment()
        .get_template('page.html')
        .render(title=title, note=note, sections=sections, numbers=numbers, tiles=tiles)
    )


class _Embedded(NamedTuple):
    source: str
    width: int


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader('mobilenext_det.display'),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {'zip': zip, 'colour_of': colour_of, 'embedded': _embedded, 'bar_width': _bar_width}
    return environment


def _embedded(picture: Path, photos: bool) -> _Embedded:
    """Return an image as a URL that contains it, and its width in CSS pixels."""
    stored = io.BytesIO()
    with Image.open(picture) as opened:
        opened.save(stored, 'WEBP', lossless=not photos, quality=88)
        width = round(opened.width / opened.info['dpi'][0] * 96)
    return _Embedded(f'data:image/webp;base64,{base64.b64encode(stored.getvalue()).decode()}', width)


def _bar_width(share: float | None) -> str:
    return f'{0 if share is None or math.isnan(share) else 100 * share:.1f}%'
