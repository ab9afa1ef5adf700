"""What can be wrong in one VOC annotation file, found object by object."""

from __future__ import annotations

import difflib
import math
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import NamedTuple

from . import geometry
from .geometry import Size, clip_box, overhang_kind
from .problems import BadObjectError, Kind, Problem

HEADER = {'folder', 'filename', 'path', 'source', 'owner', 'size', 'segmented', 'object'}
"""What VOC's files have below their root."""


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


def stated_size(root: ET.Element) -> tuple[int, int] | None:
    """Return the (width, height) an annotation states; None where <size> is absent, unreadable or zero."""
    return geometry.stated_size(root.findtext('size/width'), root.findtext('size/height'))


def unread_content(root: ET.Element) -> str | None:
    """Look for objects in an annotation that has none where VOC has them.

    Returns:
        The name of an element that holds coordinates, which are four numbers or more; None if there is none, as in an
        image without objects.
    """
    if root.find('object') is not None:
        return None
    return next((node.tag for node in root if node.tag not in HEADER and _count_numbers(node) >= 4), None)


def _count_numbers(node: ET.Element) -> int:
    return sum(
        _is_number(word)
        for part in node.iter()
        for text in (part.text or '', *part.attrib.values())
        for word in text.replace(',', ' ').split()
    )


def _is_number(word: str) -> bool:
    try:
        return math.isfinite(float(word))
    except ValueError:
        return False


def boxes_fit(root: ET.Element, size: Size) -> bool:
    """Tell whether all boxes of an annotation lie inside an image of this (width, height)."""
    limits = {'xmax': size[0], 'ymax': size[1]}
    return all(
        float(text) <= limit
        for name, limit in limits.items()
        for node in root.iterfind(f'object/bndbox/{name}')
        if _is_number(text := node.text or '')
    )


def check_objects(
    root: ET.Element, path: str, size: Size, labels: Mapping[str, int], *, one_pixel: bool = False
) -> tuple[list[VOCObject], list[Problem]]:
    """Read the objects of one annotation and tell which cannot be used.

    Args:
        root: The annotation's root element.
        path: Its file, for the report.
        size: Width and height of the image in pixels.
        labels: Index of each class name.
        one_pixel: Whether a box that is one pixel wide or high is kept: to the VOC devkit it has an area, but it cannot
            be learnt.

    Returns:
        The usable objects (their boxes have an area and lie inside the image), and the problems found.
    """
    objects, problems = [], []
    for number, node in enumerate(root.findall('object'), start=1):
        try:
            label = _label(node, labels)
            box, overhang = _box(node, size, one_pixel)
        except BadObjectError as bad:
            problems.append(Problem(bad.kind, path, bad.detail, number))
            continue
        if overhang:
            detail = f'the box leaves the image by {overhang} px'
            problems.append(Problem(overhang_kind(overhang), path, detail, number))
        difficult = node.findtext('difficult', '').strip()
        if difficult not in ('0', '1'):
            problems.append(Problem(Kind.DIFFICULT, path, f"<difficult> is '{difficult}'", number))
        objects.append(VOCObject(label, box, difficult == '1'))
    return objects, problems


def _label(node: ET.Element, labels: Mapping[str, int]) -> int:
    name = node.findtext('name', '').strip()
    if not name:
        raise BadObjectError(Kind.INCOMPLETE, 'it has no <name>')
    return label_of(name, labels)


def label_of(name: str, labels: Mapping[str, int]) -> int:
    """Return the label of a class.

    Raises:
        BadObjectError: If there is no such class; the words name one that is written nearly the same.
    """
    if name not in labels:
        raise BadObjectError(Kind.UNKNOWN_CLASS, f"unknown class '{name}'{_suggestion(name, labels)}")
    return labels[name]


def _suggestion(name: str, labels: Mapping[str, int]) -> str:
    by_lower_case = {known.lower(): known for known in labels}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.8)
    return f" (did you mean '{by_lower_case[close[0]]}'?)" if close else ''


def _box(node: ET.Element, size: Size, one_pixel: bool) -> tuple[tuple[int, int, int, int], int]:
    """Return an object's 0-based box and by how many pixels it was clipped."""
    box = node.find('bndbox')
    if box is None:
        raise BadObjectError(Kind.INCOMPLETE, 'it has no <bndbox>')
    corners = [_corner(box, name) for name in ('xmin', 'ymin', 'xmax', 'ymax')]
    x1, y1, x2, y2 = corners
    if x1 > x2 or y1 > y2:
        raise BadObjectError(Kind.SWAPPED, f'the corners {corners} are swapped')
    if (x1 == x2 or y1 == y2) and not one_pixel:
        raise BadObjectError(Kind.NO_AREA, f'the box {corners} has no area')
    (x1, y1, x2, y2), overhang = clip_box(corners, 1, size)
    return (x1 - 1, y1 - 1, x2 - 1, y2 - 1), overhang


def _corner(box: ET.Element, name: str) -> int:
    text = box.findtext(name)
    if text is None:
        raise BadObjectError(Kind.INCOMPLETE, f'its <bndbox> has no <{name}>')
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise BadObjectError(Kind.NOT_A_NUMBER, f"<{name}> is '{text.strip()}'") from None
