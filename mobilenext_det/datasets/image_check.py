"""Is an image file whole, and how large is it: answered from its first and last bytes.

A JPEG that was cut off is decoded without a word by cv2.imread, the rest filled with grey, and ends training hours in
when read as mmcv reads it; one whose download left zeros at the end is decoded in silence by both. Reading the header
and the end marker costs some 50 microseconds; decoding costs milliseconds.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from mobilenext_det.errors import MachineError

from .reading import reading_trouble

_JPEG_START, _JPEG_SCAN, _JPEG_END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'
_PNG_START, _PNG_END = b'\x89PNG', b'IEND\xaeB`\x82'
_RIFF_START = b'RIFF'
_WITH_AN_END = ('JPEG', 'MPO', 'PNG', 'WEBP')  # what is whole if its last bytes are
_EXIF_ORIENTATION = 0x0112


class BrokenImageError(ValueError):
    """Says why an image file cannot be used; whoever catches it knows which file."""


def check_complete(path: str) -> None:
    """Check that a JPEG or PNG file holds the end marker of its format, a WebP file all its bytes; others pass.

    Args:
        path: The image file.

    Raises:
        BrokenImageError: If the file is missing or cut off.
        MachineError: If it cannot be read for a reason that lies in the machine.
    """
    try:
        with open(path, 'rb') as file:
            start = file.read(8)
            size = file.seek(0, os.SEEK_END)
            file.seek(-min(len(_PNG_END), size), os.SEEK_END)
            end = file.read()
            if start.startswith(_JPEG_START):
                complete = end.endswith(_JPEG_END) or _jpeg_ends(_content(file))
            elif start.startswith(_PNG_START):
                complete = end == _PNG_END or _PNG_END in _content(file)
            elif start.startswith(_RIFF_START):
                complete = size >= 8 + int.from_bytes(start[4:], 'little')
            else:
                complete = True
    except OSError as error:
        raise reading_trouble(error, path) or BrokenImageError(
            f'the image cannot be read ({error.strerror})'
        ) from error
    if not complete:
        raise BrokenImageError(f'the image is cut off or was never written to its end ({size} bytes)')


def _content(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read()


def _jpeg_ends(content: bytes) -> bool:
    """Look for the end marker where the first scan begins or later: a thumbnail before it has its own."""
    position = len(_JPEG_START)
    while position < len(content) and content[position : position + 2] != _JPEG_SCAN:
        position += 2 + int.from_bytes(content[position + 2 : position + 4], 'big')
    return content.find(_JPEG_END, position) >= 0


def image_size(path: str) -> tuple[int, int]:
    """Read the size a file has once cv2 has loaded it, that is after the rotation its EXIF data asks for.

    Args:
        path: The image file.

    Returns:
        Width and height in pixels.

    Raises:
        BrokenImageError: If the file is not an image, or not a whole one.
        MachineError: If it cannot be read for a reason that lies in the machine.
    """
    check_complete(path)
    with _opened(path) as image:
        kind, (width, height), turned = image.format, image.size, _turned(image)
    if kind not in _WITH_AN_END or (turned and kind != 'JPEG'):
        # Others have no end marker, or are not known to cv2; which formats it turns depends on its version.
        height, width = read_image(path).shape[:2]
        return width, height
    return (height, width) if turned else (width, height)


def is_turned(path: str) -> bool:
    """Tell whether a file's EXIF data asks for a rotation by a quarter, which swaps width and height.

    Args:
        path: An image file that can be read.
    """
    with _opened(path) as image:
        return _turned(image)


def read_image(path: str) -> np.ndarray:
    """Decode an image, whatever characters its path has: cv2.imread knows only those of UTF-8.

    Args:
        path: The image file.

    Returns:
        (H, W, 3), BGR, uint8.

    Raises:
        BrokenImageError: If the file is missing or not an image.
        MachineError: If it cannot be read for a reason that lies in the machine.
    """
    try:
        image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except (OSError, MemoryError) as error:
        raise reading_trouble(error, path) or BrokenImageError(f'the image cannot be read ({error})') from error
    except cv2.error as error:  # an empty file, or one with more pixels than OpenCV takes
        raise BrokenImageError(f'the file is not an image that can be read ({error.err})') from error
    if image is None:
        raise BrokenImageError('the file is not an image that can be read')
    return image


@contextmanager
def _opened(path: str) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', Image.DecompressionBombWarning)  # large, but no problem of its own
            with Image.open(path) as image:
                yield image
    except (BrokenImageError, MachineError):
        raise
    except (OSError, MemoryError) as error:
        raise reading_trouble(error, path) or _not_an_image(error) from error
    except Exception as error:  # Pillow's readers let through whatever a broken header leads them to
        raise _not_an_image(error) from error


def _not_an_image(error: Exception) -> BrokenImageError:
    return BrokenImageError(f'the file is not an image that can be read ({error})')


def _turned(image: Image.Image) -> bool:
    return image.getexif().get(_EXIF_ORIENTATION, 1) >= 5
