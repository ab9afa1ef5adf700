"""Detections on a picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .fonts import font_file
from .palette import class_colour


@cache
def _font(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def legible_zoom(image: np.ndarray) -> int:
    """Return how many times a picture (H, W, 3) must be enlarged for labels to fit: 1 from 320 pixels up."""
    longest = max(image.shape[:2])
    return 1 if longest >= 320 else -(-640 // longest)


def draw_detections(image: np.ndarray, detections: Sequence[dict], classes: Sequence[str], zoom: int = 1) -> np.ndarray:
    """Draw boxes and, above each, its class and score.

    Line width and letters grow with the picture. A label that would leave the picture moves inside. Labels lie on top
    of boxes, and the surest detection on top of the others.

    Args:
        image: The picture, (H, W, 3), BGR, uint8; not changed.
        detections: What :class:`~mobilenext_det.inference.detector.Detector` returns.
        classes: All class names, for a colour each.
        zoom: How many times the picture is enlarged.

    Returns:
        The picture with its detections, (zoom * H, zoom * W, 3), BGR, uint8.
    """
    picture = Image.fromarray(image[..., ::-1])
    picture = picture.resize((zoom * picture.width, zoom * picture.height), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(picture)
    line = max(2, round(max(picture.size) / 320))
    size = max(11, round(max(picture.size) / 45))
    surest_last = sorted(detections, key=lambda each: each['score'])
    for detection in surest_last:
        x1, y1, x2, y2 = (round(zoom * value) for value in detection['box'])
        colour = class_colour(classes.index(detection['class']))
        draw.rectangle((x1, y1, max(x1, x2), max(y1, y2)), outline=colour, width=line)
    for detection in surest_last:
        path, text = font_file(f'{detection["class"]} {detection["score"]:.2f}')
        corner = [zoom * value for value in detection['box'][:2]]
        _label(draw, _font(path, size), corner, text, class_colour(classes.index(detection['class'])), line)
    return np.array(picture)[..., ::-1].copy()


def _label(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont,
    corner: Sequence[float],
    text: str,
    colour: tuple[int, int, int],
    line: int,
) -> None:
    width = round(draw.textlength(text, font)) + 4 * line
    height = sum(font.getmetrics()) + 2 * line
    left = max(0, min(round(corner[0]), draw.im.size[0] - width))
    top = max(0, round(corner[1]) - height)
    draw.rectangle((left, top, left + width, top + height), fill=colour)
    bright = np.dot(colour, (0.299, 0.587, 0.114)) > 140
    draw.text((left + 2 * line, top + line), text, 'black' if bright else 'white', font)
