"""One rule for boxes that leave their image, and one for sizes that are not the image's: for VOC, COCO and eval_voc."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from .image_check import is_turned
from .problems import ROUNDING, BadObjectError, Kind

Number = TypeVar('Number', int, float)
Size = tuple[int, int]
SMALLEST_SIDE = 0.01
"""Pixels: a box that is narrower vanishes in float32 where it is moved and scaled with its image, and no label is."""


def clip_box(corners: Sequence[Number], first: int, size: Size) -> tuple[tuple[Number, ...], Number]:
    """Clip a box to the image as long as an area of it lies inside.

    Args:
        corners: (x1, y1, x2, y2) in pixels.
        first: What the image's first column and row are called: 1 in VOC's files, 0 in COCO's.
        size: Width and height of the image, which are the last coordinates, too.

    Returns:
        The clipped corners, and by how many pixels the box leaves the image at most.

    Raises:
        BadObjectError: If the box, or its part inside, has no area.
    """
    _require_area(corners, first)
    x1, y1, x2, y2 = corners
    width, height = size
    overhang = max(0, first - x1, first - y1, x2 - width, y2 - height)
    if not overhang:
        return (x1, y1, x2, y2), overhang
    x1, y1, x2, y2 = max(x1, first), max(y1, first), min(x2, width), min(y2, height)
    if x1 >= x2 or y1 >= y2:
        raise BadObjectError(Kind.OUTSIDE, f'the box {list(corners)} lies outside the image of {width} x {height}')
    _require_area((x1, y1, x2, y2), first)
    return (x1, y1, x2, y2), overhang


def _require_area(corners: Sequence[Number], first: int) -> None:
    x1, y1, x2, y2 = corners
    if min(x2 - x1, y2 - y1) + first < SMALLEST_SIDE:  # VOC's boxes hold their last pixel
        raise BadObjectError(Kind.NO_AREA, f'the box {list(corners)} has no area')


def overhang_kind(overhang: float) -> Kind:
    """Return the kind of problem that a box is which leaves the image by some pixels."""
    return Kind.CLIPPED if overhang <= ROUNDING else Kind.OVERHANG


def stated_size(width: Any, height: Any) -> Size | None:
    """Return the (width, height) that an annotation states; None where they are absent, unreadable or zero."""
    try:
        size = int(float(width)), int(float(height))
    except (TypeError, ValueError, OverflowError):
        return None
    return size if min(size) > 0 else None


def size_problem(stated: Size | None, image_path: str, size: Size, boxes_fit: bool) -> tuple[Kind, str] | None:
    """Compare the size that an annotation states with the image's own, which is the one that counts.

    Args:
        stated: Width and height by the annotation; None where it has none that is usable.
        image_path: The image.
        size: Its width and height as it is loaded, turned as its EXIF data says.
        boxes_fit: Whether all boxes lie inside the image.

    Returns:
        What is wrong and in which words; None if they agree. Only for `WRONG_SIZE` the boxes may belong to another
        picture than the one that is loaded: to a scaled one, or to one that was not turned.
    """
    if stated == size:
        return None
    if stated is None:
        return Kind.NO_SIZE, f'it states no width and height, the image loads as {size}'
    detail = f'it says {stated}, the image loads as {size}'
    if max(abs(a - b) for a, b in zip(stated, size, strict=True)) <= ROUNDING:
        return Kind.SIZE_OFF, detail
    if stated == size[::-1] and boxes_fit and not is_turned(image_path):
        return Kind.SIZE_SWAPPED, detail
    return Kind.WRONG_SIZE, f'{detail}: boxes may not fit'
