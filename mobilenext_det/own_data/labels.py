"""Labelled images, whatever format they came in, and what was wrong with them."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

from mobilenext_det.datasets.geometry import Size, clip_box, overhang_kind, size_problem
from mobilenext_det.datasets.problems import BadObjectError, Kind, Problem
from mobilenext_det.errors import BadDataError

Box = tuple[float, float, float, float]
# Words that say which part of the data a folder holds, and those that may stand beside them: train2017, obj_train_data.
_PART_NAMES = {'train': 'train', 'training': 'train', 'val': 'val', 'valid': 'val', 'validation': 'val', 'test': 'test'}
_BESIDE = {'', 'image', 'images', 'img', 'label', 'labels', 'annotation', 'annotations', 'data', 'set', 'obj'}
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
    _files: dict[Path, Path] = field(default_factory=dict, repr=False)  # by image, where it was labelled

    def count(self) -> Counter[str]:
        """Return how many objects each class has, difficult ones left out."""
        return Counter(each.name for image in self.images for each in image.objects if not each.difficult)

    def note(self, kind: Kind, path: Path, detail: str, number: int | str | None = None) -> None:
        """Add a problem."""
        self.problems.append(Problem(kind, readable(path), detail, number))

    def add(
        self, path: Path, size: Size, objects: Iterable[Found], part: str | None, file: Path, stated: Size | None = None
    ) -> None:
        """Add an image with those of its objects that can be trained on.

        It is left out where its label is of an image of another size, and where it has objects of which none can be
        used: it would be taken for background.

        Args:
            path: The image.
            size: Its width and height in pixels.
            objects: Its objects, and where each was read.
            part: 'train', 'val', 'test' or None.
            file: Where it is labelled.
            stated: Width and height that stand there.

        Raises:
            BadDataError: If the image is labelled in another file, too: it could train and validate.
        """
        first = self._files.get(path)
        if first == file:
            self.note(Kind.TWICE, file, f'{path.name} stands there more than once')
            return
        if first is not None:
            raise labelled_twice(path, first, file)
        self._files[path] = file
        already = len(self.problems)
        found = list(objects)
        fits = all(_fits(each.object.box, size) for each in found)
        if stated and (wrong := size_problem(stated, os.fspath(path), size, fits)):
            self.note(wrong[0], file, wrong[1])
            if not wrong[0].corrected:
                return
        kept = list(self._usable(found, size))
        if not kept and any(not each.kind.corrected for each in self.problems[already:]):
            self.note(Kind.NOTHING_LEFT, file, f'no object of {path.name} can be used, so that it is no background')
            return
        self.images.append(LabelledImage(path, size, kept, part))

    def _usable(self, found: Sequence[Found], size: Size) -> Iterator[LabelledObject]:
        """Yield the objects that lie in the image, clipped to it, and note what is wrong with the others."""
        for each, file, number in found:
            try:
                box, overhang = _inside(each.box, size)
            except BadObjectError as bad:
                self.note(bad.kind, file, bad.detail, number)
                continue
            if overhang > 1:  # less is the rounding of shares and of edges to pixels
                self.note(overhang_kind(overhang), file, f'the box {_corners(each.box)} in an image of {size}', number)
            yield LabelledObject(each.name, box, each.difficult)


class Found(NamedTuple):
    """An object, the file that it was read from, and its place there."""

    object: LabelledObject
    file: Path
    number: int | str


def readable(path: Path) -> str:
    """Return a path as it can be printed and written: with marks for bytes that are not UTF-8."""
    return os.fsencode(path).decode(errors='replace')


def labelled_twice(path: Path, first: Path, second: Path) -> BadDataError:
    """Return the error that two files label an image."""
    return BadDataError(
        f'{path} is labelled by {first} and by {second}: take one of the two away, or put back the image that it is '
        'about.'
    )


def _fits(box: Box, size: Size) -> bool:
    return box[2] <= size[0] and box[3] <= size[1]


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
        words = re.split(r'[\W_]+|\d{4}', name.lower())  # a year may follow
        if all(word in _PART_NAMES or word in _BESIDE for word in words):
            found = part_of_words(words) or found
    return found


def part_of_words(words: Iterable[str]) -> str | None:
    """Return the part of the data that one of some words names; None if none does, or if they name several."""
    parts = {_PART_NAMES[word.lower()] for word in words if word.lower() in _PART_NAMES}
    return parts.pop() if len(parts) == 1 else None


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
