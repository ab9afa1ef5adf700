"""Files: found at any depth, and written so that they are either whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from mmengine.fileio import register_backend
from mmengine.fileio.backends import LocalBackend


def files_below(folder: str | Path) -> list[Path]:
    """List the files of a folder at any depth, sorted; those of linked folders too, which `Path.rglob` passes over.

    Hidden files and folders are left out, and what macOS adds to archives: `._photo.jpg` is no photo.

    Args:
        folder: The folder. One that several links lead to, or that holds a link to itself, is listed once.
    """
    found: list[Path] = []
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(parent))
        folders[:] = sorted(
            name for name in folders if _is_shown(name) and os.path.realpath(os.path.join(parent, name)) not in seen
        )
        found += (Path(parent, name) for name in names if _is_shown(name))
    return sorted(found)


def _is_shown(name: str) -> bool:
    return not name.startswith('.') and name != '__MACOSX'


def write_atomically(data: bytes, path: str | Path) -> None:
    """Write a file so that at any moment, even after a crash, ``path`` holds all of the old content or all of the new.

    Args:
        data: The content.
        path: The file; its folder must exist.

    Raises:
        OSError: If it cannot be written; names the file, as that of a full disk does not by itself.
    """
    unfinished = Path(f'{path}.tmp')
    try:
        with unfinished.open('wb') as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_jpeg(image: np.ndarray, path: Path, quality: int) -> None:
    """Write an image; unlike OpenCV, which returns False, Python says why it cannot.

    Args:
        image: (H, W, 3), BGR.
        path: The file; its folder must exist.
        quality: Up to 100.

    Raises:
        OSError: If it cannot be written.
    """
    path.write_bytes(cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes())


@register_backend('atomic')
class AtomicBackend(LocalBackend):
    """mmengine's local file backend, safe to be killed at any moment.

    ``put`` writes atomically. ``remove`` only notes the file, for :meth:`flush_removals` to delete: mmengine's
    checkpoint hook removes what is outdated *before* it writes what replaces it.
    """

    def __init__(self) -> None:
        self._outdated: list[str] = []

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj`` to ``filepath`` atomically, making its folder if needed."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(obj, filepath)

    def remove(self, filepath: str | Path) -> None:
        """Note that ``filepath`` is to be deleted."""
        self._outdated.append(str(filepath))

    def flush_removals(self) -> None:
        """Delete the files noted."""
        while self._outdated:
            Path(self._outdated.pop()).unlink(missing_ok=True)
