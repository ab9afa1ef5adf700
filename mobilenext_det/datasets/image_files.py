"""Which files are images, and where they lie."""

from __future__ import annotations

import os

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.jfif', '.ppm', '.pgm')
"""Endings of image files in lower case; files may have them in any case. Of two files of a name the first counts."""


def is_image(name: str) -> bool:
    """Tell whether a file has the ending of an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


class ImageFinder:
    """Finds images whose ending is not known; every folder is listed once."""

    def __init__(self) -> None:
        self._folders: dict[str, dict[str, list[str]]] = {}

    def __call__(self, stem: str) -> str | None:
        """Return the file of an image.

        Args:
            stem: Its path without the ending.
        """
        folder, name = os.path.split(stem)
        if folder not in self._folders:
            self._folders[folder] = _images_by_stem(folder)
        found = self._folders[folder].get(name)
        return os.path.join(folder, found[0]) if found else None


def _images_by_stem(folder: str) -> dict[str, list[str]]:
    """List a folder's images by their names without ending, the preferred ending first."""
    try:
        names = os.listdir(folder or '.')
    except (FileNotFoundError, NotADirectoryError):
        return {}
    by_stem: dict[str, list[str]] = {}
    for name in sorted(filter(is_image, names), key=_preference):
        by_stem.setdefault(os.path.splitext(name)[0], []).append(name)
    return by_stem


def _preference(name: str) -> tuple[int, bool, str]:
    suffix = os.path.splitext(name)[1]
    return IMAGE_SUFFIXES.index(suffix.lower()), suffix != suffix.lower(), name
