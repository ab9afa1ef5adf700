"""Is an image file whole, and how large is it: answered from its first and last bytes.

A JPEG that was cut off is decoded without a word by cv2.imread, the rest filled with grey, and ends training hours in
when read as mmcv reads it; one whose download left zeros at the end is decoded in silence by both. Reading the header
and the end marker costs some 50 microseconds; decoding costs milliseconds.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from PIL import Image

_JPEG_START, _JPEG_SCAN, _JPEG_END = b'\xff\xd8', b'\xff\xda', b'\xff\xd9'
_PNG_START, _PNG_END = b'\x89PNG', b'IEND\xaeB`\x82'
_EXIF_ORIENTATION = 0x0112


class BrokenImageError(ValueError):
    """Says why an image file cannot be used; whoever catches it knows which file."""


def check_complete(path: str) -> None:
    """Check that a JPEG or PNG file holds the end marker of its format; other formats pass.

    Args:
        path: The image file.

    Raises:
        BrokenImageError: If the file cannot be read or is cut off.
    """
    try:
        with open(path, 'rb') as file:
            start = file.read(4)
            size = file.seek(0, os.SEEK_END)
            file.seek(-min(len(_PNG_END), size), os.SEEK_END)
            end = file.read()
            if start.startswith(_JPEG_START):
                complete = end.endswith(_JPEG_END) or _jpeg_ends(_content(file))
            elif start == _PNG_START:
                complete = end == _PNG_END or _PNG_END in _content(file)
            else:
                complete = True
    except OSError as error:
        raise BrokenImageError(f'the image cannot be read ({error.strerror})') from error
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
    """
    check_complete(path)
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_EXIF_ORIENTATION, 1) >= 5
    except (OSError, SyntaxError) as error:
        raise BrokenImageError(f'the file is not an image that can be read ({error})') from error
    return (height, width) if turned else (width, height)
