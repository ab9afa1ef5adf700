"""What detection reads: image and video files, folders of them, cameras, and addresses of images and streams."""

from __future__ import annotations

import re
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import cv2
import numpy as np

from mobilenext_det.datasets.image_check import BrokenImageError, check_complete, read_image
from mobilenext_det.datasets.image_files import IMAGE_SUFFIXES
from mobilenext_det.errors import UserError
from mobilenext_det.files import files_below

IMAGES = set(IMAGE_SUFFIXES)
VIDEOS = {'.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg'}
_ADDRESS = re.compile(r'[a-z][a-z0-9+.-]+://', re.IGNORECASE)
_SECONDS = 20  # to wait for a server


class UnreadableError(UserError):
    """An input that is neither an image nor a video, in one sentence."""


class Source(NamedTuple):
    """One image, video or stream.

    Attributes:
        given: The file, the address or the number of the camera, as it was given.
        stem: What its results are named after.
    """

    given: str
    stem: str

    @property
    def is_camera(self) -> bool:
        """Whether it is the number of a camera, and no file of that name."""
        return self.given.isdecimal() and not Path(self.given).exists()

    @property
    def is_address(self) -> bool:
        """Whether it is an address, such as http://host/image.jpg or rtsp://host/stream."""
        return bool(_ADDRESS.match(self.given))

    @property
    def is_live(self) -> bool:
        """Whether it may never end."""
        return self.is_camera or self.is_address

    def read(self) -> np.ndarray | cv2.VideoCapture:
        """Return the image, (H, W, 3), BGR, uint8, or the video.

        Raises:
            UnreadableError: If it is neither.
        """
        if self.is_camera:
            return self._video(int(self.given), f'camera {self.given} cannot be opened: is it there, and free?')
        if self.is_address:
            return self._from_address()
        if Path(self.given).suffix.lower() in IMAGES:
            return self._from_image_file()
        return self._video(self.given, f'{self.given}: the file is neither an image nor a video that can be read.')

    def _from_image_file(self) -> np.ndarray:
        try:
            check_complete(self.given)
            return read_image(self.given)
        except BrokenImageError as error:
            raise UnreadableError(f'{self.given}: {error}.') from error

    def _from_address(self) -> np.ndarray | cv2.VideoCapture:
        """Read an image by its content type; anything else at an address is for OpenCV to read."""
        nothing = f'{self.given}: there is neither an image nor a video that can be read.'
        if not self.given.lower().startswith(('http://', 'https://')):
            return self._video(self.given, nothing)
        try:
            with urllib.request.urlopen(self.given, timeout=_SECONDS) as answer:
                if answer.headers.get_content_maintype() != 'image':
                    return self._video(self.given, nothing)
                content = np.frombuffer(answer.read(), np.uint8)
        except (OSError, HTTPException, ValueError) as error:  # URLError and HTTPError are OSErrors
            raise UnreadableError(f'{self.given} cannot be fetched ({error}).') from error
        image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
        if image is None:
            raise UnreadableError(nothing)
        return image

    @staticmethod
    def _video(name: int | str, nothing: str) -> cv2.VideoCapture:
        try:
            video = cv2.VideoCapture(name)
        except cv2.error as error:
            raise UnreadableError(f'{nothing} OpenCV says: {error.err}.') from error
        if not video.isOpened():
            raise UnreadableError(nothing)
        return video


def find_sources(inputs: Sequence[str]) -> list[Source]:
    """Return every input, folders as the images and videos in them, in depth; an empty folder stands for itself."""
    return [Source(given, _stem(given)) for path in inputs for given in _expand(str(path))]


def _expand(given: str) -> list[str]:
    if not Path(given).is_dir():
        return [given]
    files = (str(file) for file in files_below(given) if file.suffix.lower() in IMAGES | VIDEOS)
    return sorted(files) or [given]


def _stem(given: str) -> str:
    """Return what results are named after: a file's name, the last part of an address, or 'camera-0'."""
    source = Source(given, '')
    if source.is_camera:
        return f'camera-{given}'
    if source.is_address:
        address = urlsplit(given)
        name = Path(unquote(address.path)).stem or address.hostname or 'stream'
        return re.sub(r'[^\w.-]+', '_', name)
    return Path(given).stem
