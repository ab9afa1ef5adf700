"""Letters for names in any script: a font of this machine that has them, or their numbers where none has.

matplotlib's own font has Latin, Greek, Cyrillic, Arabic and more, but no Chinese, Japanese or Korean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from .style import STYLE

DEFAULT = 'DejaVu Sans'
LONGEST = 40
"""Letters of a name in a chart, which a longer one would leave no room."""


@contextmanager
def styled(names: Iterable[str] = ()) -> Iterator[None]:
    """Draw in the project's style, with letters for some names.

    Args:
        names: What is to be written; each goes through :func:`drawable` first.
    """
    from matplotlib import rc_context

    needed = dict.fromkeys(font for name in names for letter in name if (font := _font_of(letter)))
    families = [DEFAULT, *(_name(path) for path in needed)]
    with rc_context(STYLE | {'font.family': list(dict.fromkeys(families))}):
        yield


def drawable(text: str) -> str:
    """Return a text with its letters' numbers in the place of those that no font here has, and shortened if long."""
    shown = text if len(text) <= LONGEST else f'{text[: LONGEST - 3]}...'
    return ''.join(letter if _font_of(letter) else _number(letter) for letter in shown)


def font_file(text: str) -> tuple[str, str]:
    """Choose the one font for a text.

    Returns:
        The font's file, and the text as it can be drawn in it.
    """
    text = text if len(text) <= LONGEST else f'{text[: LONGEST - 8]}...{text[-5:]}'
    paths = dict.fromkeys(font for letter in text if (font := _font_of(letter)))
    path = next((path for path in paths if all(_has(path, letter) for letter in text)), _default())
    return path, ''.join(letter if _has(path, letter) else _number(letter) for letter in text)


def _number(letter: str) -> str:
    return letter.encode('ascii', 'backslashreplace').decode() if letter.isprintable() else ascii(letter)[1:-1]


@cache
def _font_of(letter: str) -> str | None:
    """Return the file of a font that has a letter, matplotlib's own first; None if there is none."""
    return next((path for path in (_default(), *_others()) if _has(path, letter)), None)


def _has(path: str, letter: str) -> bool:
    return letter.isprintable() and ord(letter) in _letters(path)


@cache
def _default() -> str:
    from matplotlib.font_manager import findfont

    return findfont(DEFAULT)


@cache
def _others() -> tuple[str, ...]:
    """Return the files of fonts for text, the upright and regular ones first."""
    from matplotlib.font_manager import fontManager

    fonts = [font for font in fontManager.ttflist if not font.name.startswith(('Last Resort', 'STIX', 'cm'))]
    fonts.sort(
        key=lambda font: (font.style != 'normal', str(font.weight) not in ('400', 'normal', 'regular'), font.name)
    )
    return tuple(dict.fromkeys(font.fname for font in fonts))


@cache
def _letters(path: str) -> frozenset[int]:
    """Return the characters that a font has; none if it cannot be read, or holds pictures of one size as emoji do."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()


@cache
def _name(path: str) -> str:
    from matplotlib.font_manager import fontManager

    return next((font.name for font in fontManager.ttflist if font.fname == path), DEFAULT)
