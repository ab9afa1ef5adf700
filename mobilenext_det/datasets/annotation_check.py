"""What can be wrong in one VOC annotation file, found object by object."""

from __future__ import annotations

import difflib
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

MAX_OVERHANG = 2
"""Pixels by which a box may leave the image and still be clipped to it: 0-based and rounded corners do that."""


class Kind(Enum):
    """A kind of problem: how the report calls it, and what is done about it unless the reader is told to stop."""

    NO_XML = 'annotation file is missing', 'image skipped'
    BAD_XML = 'annotation file is not VOC XML', 'image skipped'
    NO_IMAGE = 'image file is missing', 'image skipped'
    BROKEN_IMAGE = 'image file is broken', 'image skipped'
    WRONG_SIZE = 'image size differs from <size>', 'image skipped'
    UNKNOWN_CLASS = 'class is not in the list', 'object skipped'
    INCOMPLETE = 'object without name or box', 'object skipped'
    NOT_A_NUMBER = 'coordinate is not a number', 'object skipped'
    SWAPPED = 'corners are swapped', 'object skipped'
    NO_AREA = 'box has no area', 'object skipped'
    OUTSIDE = 'box leaves the image', 'object skipped'
    CLIPPED = f'box leaves the image by {MAX_OVERHANG} px or less', 'clipped'
    DIFFICULT = 'no usable <difficult>', 'read as 0'

    def __init__(self, text: str, action: str) -> None:
        self.text = text
        self.action = action

    @property
    def corrected(self) -> bool:
        """Whether the object is kept, with the stated correction."""
        return 'skipped' not in self.action


class Problem(NamedTuple):
    """One problem found in the data.

    Attributes:
        kind: What kind of problem.
        path: The file it is in.
        detail: The offending value, in words.
        object_number: The object's place in the file, counted from 1; None if the whole file is meant.
    """

    kind: Kind
    path: str
    detail: str
    object_number: int | None = None

    def __str__(self) -> str:
        """Name the file, the object and what is wrong."""
        place = self.path if self.object_number is None else f'{self.path}, object {self.object_number}'
        return f'{place}: {self.detail}'


class VOCObject(NamedTuple):
    """One object of an annotation file.

    Attributes:
        label: Index of its class.
        box: (x1, y1, x2, y2) in pixels. MMDetection's convention, all four corners one less than in the file: its width
            is x2 - x1, so a file's box with xmin == xmax, one pixel wide to the VOC devkit, has no area here.
        difficult: The file's <difficult> flag.
    """

    label: int
    box: tuple[int, int, int, int]
    difficult: bool


class _BadObject(Exception):
    """A problem for which an object is left out."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail = kind, detail


def stated_size(root: ET.Element) -> tuple[int, int] | None:
    """Return the (width, height) an annotation states; None where <size> is absent, unreadable or zero."""
    try:
        size = int(root.findtext('size/width', '')), int(root.findtext('size/height', ''))
    except ValueError:
        return None
    return size if min(size) > 0 else None


def check_objects(
    root: ET.Element, path: str, size: tuple[int, int], labels: Mapping[str, int]
) -> tuple[list[VOCObject], list[Problem]]:
    """Read the objects of one annotation and tell which cannot be trained on.

    Args:
        root: The annotation's root element.
        path: Its file, for the report.
        size: Width and height of the image in pixels.
        labels: Index of each class name.

    Returns:
        The usable objects (their boxes have an area and lie inside the image), and the problems found.
    """
    objects, problems = [], []
    for number, node in enumerate(root.findall('object'), start=1):
        try:
            label = _label(node, labels)
            box, overhang = _box(node, size)
        except _BadObject as bad:
            problems.append(Problem(bad.kind, path, bad.detail, number))
            continue
        if overhang:
            problems.append(Problem(Kind.CLIPPED, path, f'the box leaves the image by {overhang} px', number))
        difficult = node.findtext('difficult', '').strip()
        if difficult not in ('0', '1'):
            problems.append(Problem(Kind.DIFFICULT, path, f"<difficult> is '{difficult}'", number))
        objects.append(VOCObject(label, box, difficult == '1'))
    return objects, problems


def _label(node: ET.Element, labels: Mapping[str, int]) -> int:
    name = node.findtext('name', '').strip()
    if not name:
        raise _BadObject(Kind.INCOMPLETE, 'it has no <name>')
    if name not in labels:
        raise _BadObject(Kind.UNKNOWN_CLASS, f"unknown class '{name}'{_suggestion(name, labels)}")
    return labels[name]


def _suggestion(name: str, labels: Mapping[str, int]) -> str:
    by_lower_case = {known.lower(): known for known in labels}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.8)
    return f" (did you mean '{by_lower_case[close[0]]}'?)" if close else ''


def _box(node: ET.Element, size: tuple[int, int]) -> tuple[tuple[int, int, int, int], int]:
    """Return an object's 0-based box and by how many pixels it was clipped."""
    box = node.find('bndbox')
    if box is None:
        raise _BadObject(Kind.INCOMPLETE, 'it has no <bndbox>')
    corners = [_corner(box, name) for name in ('xmin', 'ymin', 'xmax', 'ymax')]
    x1, y1, x2, y2 = corners
    width, height = size
    if x1 > x2 or y1 > y2:
        raise _BadObject(Kind.SWAPPED, f'the corners {corners} are swapped')
    if x1 == x2 or y1 == y2:
        raise _BadObject(Kind.NO_AREA, f'the box {corners} has no area')
    overhang = max(0, 1 - x1, 1 - y1, x2 - width, y2 - height)
    x1, y1, x2, y2 = max(x1, 1), max(y1, 1), min(x2, width), min(y2, height)
    if overhang > MAX_OVERHANG or x1 >= x2 or y1 >= y2:
        raise _BadObject(Kind.OUTSIDE, f'the box {corners} leaves the image of {width} x {height}')
    return (x1 - 1, y1 - 1, x2 - 1, y2 - 1), overhang


def _corner(box: ET.Element, name: str) -> int:
    text = box.findtext(name)
    if text is None:
        raise _BadObject(Kind.INCOMPLETE, f'its <bndbox> has no <{name}>')
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise _BadObject(Kind.NOT_A_NUMBER, f"<{name}> is '{text.strip()}'") from None
