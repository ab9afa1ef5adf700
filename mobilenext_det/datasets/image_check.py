"""Is an image file whole, and how large is it: answered from its first and last bytes.

cv2 decodes a JPEG that was cut off without a word and fills the rest with grey, so a broken download trains and is
evaluated like any other image. Reading the header and the end marker costs some 50 microseconds; decoding costs
milliseconds.
"""

from __future__ import annotations

import os

from PIL import Image

_JPEG_START, _JPEG_END = b'\xff\xd8', b'\xff\xd9'
_PNG_START, _PNG_END = b'\x89PNG', b'IEND\xaeB`\x82'
_EXIF_ORIENTATION = 0x0112


class BrokenImageError(ValueError):
    """An image file that is missing, unreadable or cut off."""


def check_complete(path: str) -> None:
    """Check that a JPEG or PNG file ends where its format says it ends; other formats pass.

    Bytes after the end marker are legal and rare: such a file is decoded once to tell it from one that was cut off.

    Args:
        path: The image file.

    Raises:
        BrokenImageError: If the file cannot be read or is cut off.
    """
    try:
        with open(path, 'rb') as file:
            start = file.read(4)
            file.seek(-min(len(_PNG_END), os.fstat(file.fileno()).st_size), os.SEEK_END)
            end = file.read()
    except OSError as error:
        raise BrokenImageError(f'{path}: the image cannot be read ({error.strerror}).') from error
    if start.startswith(_JPEG_START) and not end.endswith(_JPEG_END) or start == _PNG_START and end != _PNG_END:
        _decode(path)


def _decode(path: str) -> None:
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError) as error:
        size = os.path.getsize(path)
        raise BrokenImageError(f'{path}: the image file is cut off or damaged after {size} bytes ({error}).') from error


def image_size(path: str) -> tuple[int, int]:
    """Read the size a file has once cv2 has loaded it, that is after the rotation its EXIF data asks for.

    Args:
        path: The image file.

    Returns:
        Width and height in pixels.

    Raises:
        BrokenImageError: If the file is not an image that can be read to its end.
    """
    check_complete(path)
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_EXIF_ORIENTATION, 1) >= 5
    except (OSError, SyntaxError) as error:
        raise BrokenImageError(f'{path}: the file is not an image that can be read ({error}).') from error
    return (height, width) if turned else (width, height)
