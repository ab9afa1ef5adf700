"""Labelled images, whatever format they came in, and what was wrong with them."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from mobilenext_det.datasets.geometry import Size, clip_box, overhang_kind
from mobilenext_det.datasets.problems import BadObjectError, Kind, Problem

Box = tuple[float, float, float, float]
_PART_NAMES = {'train': 'train', 'training': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
# A class that looks like another may be its misspelling if it has less than this share of the objects of the most
# frequent class; one that looks much like it, if it has at most this share of that one's.
RARE, RARER = 0.02, 0.2
ALIKE, MUCH_ALIKE = 0.75, 0.85


@dataclass(frozen=True)
class LabelledObject:
    """An object of an image.

    Attributes:
        name: Its class.
        box: (x1, y1, x2, y2) in pixels of the image, edges, so that the width is x2 - x1.
        difficult: Whether it counts neither for nor against a detector: VOC's difficult, COCO's crowd.
    """

    name: str
    box: Box
    difficult: bool = False


@dataclass(frozen=True)
class LabelledImage:
    """An image with its objects.

    Attributes:
        path: The image file.
        size: Width and height in pixels, as the image loads.
        objects: Its objects; none is an image of the background.
        part: 'train', 'val' or 'test' where the source says so, else None.
    """

    path: Path
    size: Size
    objects: Sequence[LabelledObject]
    part: str | None = None


@dataclass
class Labels:
    """What was read from a folder.

    Attributes:
        form: The format, in words.
        images: The images.
        problems: Everything that is wrong.
    """

    form: str
    images: list[LabelledImage] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def count(self) -> Counter[str]:
        """Return how many objects each class has, difficult ones left out."""
        return Counter(each.name for image in self.images for each in image.objects if not each.difficult)

    def note(self, kind: Kind, path: object, detail: str, number: int | str | None = None) -> None:
        """Add a problem."""
        self.problems.append(Problem(kind, str(path), detail, number))

    def add(self, path: Path, size: Size, objects: Iterable[Found], part: str | None) -> None:
        """Add an image with those of its objects that can be trained on.

        Args:
            path: The image.
            size: Its width and height in pixels.
            objects: Its objects, and where each was read.
            part: 'train', 'val', 'test' or None.
        """
        kept = []
        for each, file, number in objects:
            try:
                box, overhang = _inside(each.box, size)
            except BadObjectError as bad:
                self.note(bad.kind, file, bad.detail, number)
                continue
            if overhang > 1:  # less is the rounding of shares and of edges to pixels
                self.note(overhang_kind(overhang), file, f'the box {_corners(each.box)} in an image of {size}', number)
            kept.append(LabelledObject(each.name, box, each.difficult))
        self.images.append(LabelledImage(path, size, kept, part))


class Found(NamedTuple):
    """An object, the file that it was read from, and its place there."""

    object: LabelledObject
    file: Path
    number: int | str


def _inside(box: Box, size: Size) -> tuple[Box, float]:
    """Return the part of a box that is inside the image, and by how many pixels it leaves it."""
    x1, y1, x2, y2 = box
    if not all(map(math.isfinite, box)):
        raise BadObjectError(Kind.NOT_A_NUMBER, f'the box is {_corners(box)}')
    if x1 > x2 or y1 > y2:
        raise BadObjectError(Kind.SWAPPED, f'the corners {_corners(box)} are swapped')
    (x1, y1, x2, y2), overhang = clip_box(box, 0, size)
    return (x1, y1, x2, y2), overhang


def _corners(box: Box) -> str:
    return f'({", ".join(f"{value:g}" for value in box)})'


def part_of(names: Iterable[str]) -> str | None:
    """Return the part of the data that folders or files are named for; None if they say nothing.

    Args:
        names: Names of folders, the outermost first; the innermost that says something counts.
    """
    found = None
    for name in names:
        stem = name.lower()
        found = _PART_NAMES.get(stem, found)
    return found


def likely_misspelt(counts: Counter[str]) -> dict[str, str]:
    """Return classes that may be misspellings of others, by the class that is meant.

    Args:
        counts: Objects of each class.
    """
    meant = {}
    for name, count in counts.items():
        others = [other for other, more in counts.most_common() if more > count and _digits(other) == _digits(name)]
        likeness = {other: SequenceMatcher(None, _plain(name), _plain(other)).ratio() for other in others}
        other = max(likeness, key=lambda each: likeness[each], default=name)
        alike = likeness.get(other, 0)
        much = alike >= MUCH_ALIKE and count <= RARER * counts[other]
        if alike == 1 or much or (alike >= ALIKE and count < RARE * max(counts.values())):
            meant[name] = other
    return meant


def _plain(name: str) -> str:
    """Return a name without what people write now so, now so: capitals, spaces, hyphens."""
    return re.sub(r'[\W_]', '', name.casefold()) or name


def _digits(name: str) -> str:
    return re.sub(r'\D', '', name)
