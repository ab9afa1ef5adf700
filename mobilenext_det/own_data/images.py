"""The images of a folder, to be found by what labels call them."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from mobilenext_det.datasets.image_check import BrokenImageError, image_size
from mobilenext_det.datasets.image_files import is_image
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.files import files_below

from .labels import Labels, part_of


class Opened(NamedTuple):
    """An image file that is whole, and its width and height in pixels as it loads."""

    path: Path
    size: tuple[int, int]


class Images:
    """All images below a folder, and the other files, which are looked for once.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = files_below(folder)
        self.paths = [path for path in self.files if is_image(path.name)]
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in self.paths:
            for name in {path.name.casefold(), path.stem.casefold()}:
                self._by_name[name].append(path)

    def find(self, name: str, label: Path) -> Path | None:
        """Return the image that a label file means; None if there is none, or if several could be meant.

        Label tools write a path on another machine, a path below some folder, a name, or a name without its ending. Of
        several images of a name, the one counts whose path has most folders in common with the label's:
        `labels/train/1.txt` is about `images/train/1.jpg`.

        Args:
            name: What it is called.
            label: The label file.
        """
        wanted = PureWindowsPath(name)  # takes both kinds of slash
        candidates = self._by_name.get(wanted.name.casefold(), []) or self._by_name.get(wanted.stem.casefold(), [])
        folders = set(label.parent.parts) | set(wanted.parent.parts)
        ranked = sorted(candidates, key=lambda path: -len(folders & set(path.parent.parts)))
        if len(ranked) > 1:
            first, second = (len(folders & set(path.parent.parts)) for path in ranked[:2])
            return ranked[0] if first > second else None
        return ranked[0] if ranked else None

    def part(self, file: Path) -> str | None:
        """Return the part of the data that the folders of a file are named for; None if they say nothing."""
        return part_of(file.relative_to(self.folder).parts[:-1])

    def open(self, names: Sequence[str], file: Path, labels: Labels) -> Opened | None:
        """Return the image that a label file means; None, and a problem, if it is not there or broken.

        Args:
            names: What the file calls it, the surest first.
            file: The label file.
            labels: What problems are added to.
        """
        path = next((path for name in names if (path := self.find(name, file))), None)
        if path is None:
            labels.note(Kind.NO_IMAGE, file, f"there is no image '{names[0]}'")
            return None
        return measured(path, labels)


def measured(path: Path, labels: Labels) -> Opened | None:
    """Return an image and its size; None, and a problem, if it is broken."""
    try:
        return Opened(path, image_size(os.fspath(path)))
    except BrokenImageError as error:
        labels.note(Kind.BROKEN_IMAGE, path, str(error))
        return None
