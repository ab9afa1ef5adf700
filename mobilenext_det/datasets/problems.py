"""What can be wrong in a data set, and the report of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum
from io import StringIO
from itertools import islice
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

ROUNDING = 2
"""Pixels by which a box may leave the image, or <size> differ from it, without anything being wrong: 0-based and
rounded numbers do that."""
NUM_EXAMPLES = 3
"""How many problems of a kind the report names; the data set's ``problems`` holds all."""
_OWN_SIZE = "image's own size taken"


class Kind(Enum):
    """A kind of problem: how the report calls it, and what is done about it unless the reader is told to stop."""

    NO_XML = 'annotation file is missing', 'image skipped'
    BAD_XML = 'annotation file is not VOC XML', 'image skipped'
    NOTHING_READ = 'annotation file of unknown structure', 'image skipped'
    BAD_RECORD = 'entry is not what COCO has', 'entry skipped'
    NO_IMAGE = 'image file is missing', 'image skipped'
    BROKEN_IMAGE = 'image file is broken', 'image skipped'
    WRONG_SIZE = 'stated size is not that of the image', 'image skipped'
    UNLISTED = 'image that no list names', 'image skipped'
    NO_PART = 'part of the data that is not there', 'passed over'
    SAME_NUMBER = 'several images have one id', 'image skipped'
    NOTHING_LEFT = 'none of its objects is usable', 'image skipped in training'
    UNKNOWN_CLASS = 'class is not in the list', 'object skipped'
    NOT_ASKED_FOR = 'class was not asked for', 'object skipped'
    NO_SUCH_IMAGE = 'object of an image that is not listed', 'object skipped'
    INCOMPLETE = 'object without name or box', 'object skipped'
    NOT_A_NUMBER = 'coordinate is not a number', 'object skipped'
    SWAPPED = 'corners are swapped', 'object skipped'
    NO_AREA = 'box has no area', 'object skipped'
    OUTSIDE = 'box lies outside the image', 'object skipped'
    OVERHANG = 'box leaves the image', 'clipped'
    CLIPPED = f'box leaves the image by {ROUNDING} px or less', 'clipped'
    TWICE = 'listed twice', 'read once'
    SAME_OBJECT = 'several objects have one id', 'kept'
    SIZE_OFF = f'stated size is off by {ROUNDING} px or less', _OWN_SIZE
    SIZE_SWAPPED = 'stated width and height are swapped', _OWN_SIZE
    NO_SIZE = 'no usable width and height', _OWN_SIZE
    CROWD = 'crowd or ignored region', 'neither learnt nor counted'
    DIFFICULT = 'no usable <difficult>', 'read as 0'

    def __init__(self, text: str, action: str) -> None:
        self.text = text
        self.action = action

    @property
    def corrected(self) -> bool:
        """Whether what was found is kept, with the stated correction."""
        return 'skipped' not in self.action


class Problem(NamedTuple):
    """One problem found in the data.

    Attributes:
        kind: What kind of problem.
        path: The file it is in.
        detail: The offending value, in words.
        object_number: The object's place in the file, counted from 1, or its id; None if the whole file is meant.
    """

    kind: Kind
    path: str
    detail: str
    object_number: int | str | None = None

    def __str__(self) -> str:
        """Name the file, the object and what is wrong."""
        place = self.path if self.object_number is None else f'{self.path}, object {self.object_number}'
        return f'{place}: {self.detail}'


class BadObjectError(Exception):
    """A problem for which an object is left out."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail


def first_examples(problems: Sequence[Problem]) -> list[Problem]:
    """Return the first problems of each kind, kinds that occur most often first."""
    kinds = Counter(problem.kind for problem in problems).most_common()
    return [each for kind, _ in kinds for each in islice((p for p in problems if p.kind is kind), NUM_EXAMPLES)]


def problem_table(problems: Sequence[Problem]) -> str:
    """Lay out how often each kind of problem occurs, and its first examples below."""
    table = Table('problem', 'count', 'action')
    for kind, count in Counter(problem.kind for problem in problems).most_common():
        table.add_row(Text(kind.text), str(count), Text(kind.action))
    examples = ''.join(f'{problem}\n' for problem in first_examples(problems))
    text = StringIO()
    Console(file=text, width=100).print(table)
    return f'{text.getvalue()}First examples:\n{examples}'
