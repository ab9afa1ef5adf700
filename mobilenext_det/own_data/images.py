"""The images of a folder, to be found by what labels call them."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from mobilenext_det.datasets.image_check import BrokenImageError, image_size
from mobilenext_det.datasets.image_files import is_image
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.files import files_below

from .labels import Labels, part_of, readable

_ENDING = re.compile(r'\.[A-Za-z]\w{1,4}')  # of a file: .heic; what follows the dot of frame_12.5 is none


class Opened(NamedTuple):
    """An image file that is whole, and its width and height in pixels as it loads."""

    path: Path
    size: tuple[int, int]


class Images:
    """All images below a folder, and the other files, which are looked for once.

    Args:
        folder: The folder.
        without: A folder that is passed over if it lies below, such as one that holds what was made of the others.
    """

    def __init__(self, folder: Path, without: Path | None = None) -> None:
        self.folder = folder
        inside = without is not None and folder in without.parents
        self.files = [path for path in files_below(folder) if not inside or without not in path.parents]
        self.paths = [path for path in self.files if is_image(path.name)]
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            for name in {path.name.casefold(), path.stem.casefold()}:
                self._by_name[name].append(path)

    def named(self, name: str) -> list[Path]:
        """Return all images that a name may mean, whatever folders and ending it has.

        Args:
            name: A path on another machine, a path below some folder, a name, or a name without its ending.
        """
        wanted = PureWindowsPath(name)  # takes both kinds of slash
        found = self._by_name.get(wanted.name.casefold(), [])
        if not found and _ENDING.fullmatch(wanted.suffix):
            found = self._by_name.get(wanted.stem.casefold(), [])
        return found

    def find(self, name: str, label: Path) -> Path | None:
        """Return the image that a label file means; None if there is none, or if several could be meant.

        Of several images of a name, the one counts whose folders have most in common with the label's, then with the
        label's name: `labels/train/1.txt` is about `images/train/1.jpg`, and `instances_train.json` about images in
        `train`. A label in the folder of one part is never about an image in that of another.

        Args:
            name: What it is called.
            label: The label file.
        """
        wanted = PureWindowsPath(name)
        folders = {*label.parent.parts, *wanted.parent.parts}
        folders |= {'images'} if 'labels' in folders else set()
        words = {word for ends in (r'[\W_]+', r'[\W_\d]+') for word in re.split(ends, label.stem)}

        def nearness(path: Path) -> tuple[int, int, bool]:
            parents = set(path.parent.parts)
            return len(folders & parents), len(words & parents), wanted.name in (path.name, path.stem)

        part = self.part(label)
        candidates = (path for path in self.named(name) if part is None or self.part(path) in (part, None))
        ranked = sorted(candidates, key=nearness, reverse=True)
        if len(ranked) > 1 and nearness(ranked[0]) == nearness(ranked[1]):
            return None
        return ranked[0] if ranked else None

    def missing(self, name: str) -> str:
        """Say why no image was found."""
        found = [os.fspath(path.relative_to(self.folder)) for path in self.named(name)]
        if len(found) > 1:
            return f"there are {len(found)} images '{name}', {found[0]} and {found[-1]} among them"
        return f"there is no image '{name}'" + (f' in its part of the data, only {found[0]}' if found else '')

    def part(self, *files: Path) -> str | None:
        """Return the part of the data that the folders of files are named for, the first that says something."""
        parts = (part_of(file.relative_to(self.folder).parts[:-1]) for file in files)
        return next((part for part in parts if part), None)

    def open(self, names: Sequence[str], file: Path, labels: Labels) -> Opened | None:
        """Return the image that a label file means; None, and a problem, if it is not there or broken.

        Args:
            names: What the file calls it, the surest first.
            file: The label file.
            labels: What problems are added to.
        """
        path = next((path for name in names if (path := self.find(name, file))), None)
        if path is None:
            labels.note(Kind.NO_IMAGE, file, self.missing(names[0]))
            return None
        return measured(path, labels)


def measured(path: Path, labels: Labels) -> Opened | None:
    """Return an image and its size; None, and a problem, if it is broken, or if no list can name it."""
    if readable(path) != os.fspath(path):
        labels.note(Kind.BROKEN_IMAGE, path, 'its name is not UTF-8: give it another')
        return None
    try:
        return Opened(path, image_size(os.fspath(path)))
    except BrokenImageError as error:
        labels.note(Kind.BROKEN_IMAGE, path, str(error))
        return None
