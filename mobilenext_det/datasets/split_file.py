"""Lists of images, however an editor, a shell or another project wrote them.

Notepad begins a file with a byte-order mark, PowerShell's ``>`` writes UTF-16, VOC's lists of a class have a flag
behind each name, darknet lists paths and PaddleDetection pairs of them. All of that is read where only one thing can
be meant, and refused in a sentence where it cannot.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from mobilenext_det.errors import BadDataError

from .image_files import IMAGE_SUFFIXES
from .reading import reading_trouble

_MARKS = {codecs.BOM_UTF8: 'utf-8-sig', codecs.BOM_UTF16_LE: 'utf-16', codecs.BOM_UTF16_BE: 'utf-16'}
_FLAG = re.compile(r'\s+(-1|0|1|\+1)$')
_ENDINGS = (*IMAGE_SUFFIXES, '.xml')


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8 or UTF-16.

    Raises:
        BadDataError: If it is in another encoding.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        trouble = BadDataError(f'{path}: it cannot be read ({error.strerror}).')
        raise reading_trouble(error, str(path)) or trouble from None
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), 'utf-8')
    if data[1:2] == b'\0':
        encoding = encoding if encoding == 'utf-16' else 'utf-16-le'
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b'\n', 0, error.start) + 1
        raise BadDataError(
            f'{path}, line {line}: {data[error.start : error.end]!r} is not UTF-8; save the file as UTF-8, for example '
            'with `iconv -f GBK -t UTF-8` where it was written in GBK.'
        ) from None


def read_lines(path: str | Path) -> list[str]:
    """Return the lines of a text file that are not blank, without blanks around them."""
    return [line.strip() for line in re.split(r'[\r\n]+', read_text(path)) if line.strip()]


def read_split(path: str | Path, is_annotated: Callable[[str], bool]) -> list[str]:
    """Read the names that a list of images has.

    Args:
        path: The list.
        is_annotated: Tells whether there is an annotation of this name.

    Returns:
        The names, without ending, as they are listed; one that is listed twice twice. Where there is no annotation of
        a name in whatever form, it is returned as it stands.

    Raises:
        BadDataError: If the list is empty or not text in UTF-8 or UTF-16.
    """
    lines = read_lines(path)
    flagged = all(_FLAG.search(line) for line in lines)
    names = [
        next((name for name in _readings(line, flagged) if is_annotated(name)), line)
        for line in lines
        if not line.startswith('# ') or is_annotated(line)
    ]
    if not names:
        raise BadDataError(f'{path}: the split file is empty; it must name one image a line.')
    return names


def _readings(line: str, flagged: bool) -> Iterator[str]:
    """Yield what a line may mean, the most literal first."""
    yield line
    if flagged:
        line = _FLAG.sub('', line)
        yield line
    first, _, second = line.partition(' ')
    for text in (line, first) if _stem(first) == _stem(second.strip()) else (line,):
        name = _without_ending(text.replace('\\', '/'))
        yield name
        # From the longest end of the path to the shortest: images may lie in folders below the one of the data set.
        parts = name.split('/')
        yield from ('/'.join(parts[start:]) for start in range(1, len(parts)))


def _stem(path: str) -> str:
    return _without_ending(path.replace('\\', '/').rpartition('/')[2])


def _without_ending(path: str) -> str:
    stem, ending = os.path.splitext(path)
    return stem if ending.lower() in _ENDINGS else path
