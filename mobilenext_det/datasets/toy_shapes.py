"""Twenty emblems, one for each VOC class, that differ in silhouette and texture alone.

They are signs for a class (a bone for the dog, a bell for the cow), not pictures of it. Every emblem is stretched to
the box that is asked for and painted in two colours that its caller chooses, so colour, size and aspect ratio say
nothing about the class.

A silhouette and a texture are functions of two float32 arrays, x to the right and y downwards, on about [-1, 1]. A
silhouette is true inside the emblem; a texture is true where the second colour goes.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

MAX_TILT = 8.0  # degrees an emblem is turned, either way
MAX_BEND = 0.03  # how far a wave bends its outline, in half sides
TEXTURE_JITTER = 0.1  # relative change of a texture's frequency

Field = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _disc(x: np.ndarray, y: np.ndarray, cx: float, cy: float, radius: float) -> np.ndarray:
    return (x - cx) ** 2 + (y - cy) ** 2 < radius**2


def _ring(x: np.ndarray, y: np.ndarray, cx: float, cy: float, outer: float, inner: float) -> np.ndarray:
    return _disc(x, y, cx, cy, outer) & ~_disc(x, y, cx, cy, inner)


def _rect(x: np.ndarray, y: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return (x > left) & (x < right) & (y > top) & (y < bottom)


def _trapezoid(
    x: np.ndarray, y: np.ndarray, cx: float, top: float, bottom: float, top_half: float, bottom_half: float
) -> np.ndarray:
    """Upright trapezoid around x = cx; a half width of 0 at one end makes it a triangle."""
    half = top_half + (bottom_half - top_half) * (y - top) / (bottom - top)
    return (y > top) & (y < bottom) & (np.abs(x - cx) < half)


def _wheels(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _disc(np.abs(x), y, 0.55, 0.72, 0.28)


def _aeroplane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    side = np.abs(x)
    wings = (np.abs(y + 0.25 - 0.6 * side) < 0.24) & (side < 1)
    tail = (np.abs(y - 0.65 - 0.6 * side) < 0.14) & (side < 0.5)
    return _rect(side, y, -1, -1, 0.15, 0.95) | wings | tail


def _bicycle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    side = np.abs(x)
    fork = (np.abs(side - 0.58 * (y + 0.75) / 1.05) < 0.1) & (y > -0.75) & (y < 0.3)
    return _ring(side, y, 0.58, 0.35, 0.46, 0.26) | fork | _rect(side, y, -1, -0.9, 0.45, -0.68)


def _bird(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _disc(x, y, 0, 0, 1) & ~_disc(x, y, 0, -0.5, 0.85)


def _boat(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    sail = _trapezoid(x, y, 0, -1, 0.3, 0, 0.85) & ((x > 0.08) | (x < -0.08) & (y > -0.4))
    return _trapezoid(x, y, 0, 0.45, 1, 1, 0.5) | sail | _rect(x, y, -0.08, -0.8, 0.08, 0.5)


def _bottle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _rect(x, y, -0.6, -0.1, 0.6, 1) | _rect(x, y, -0.2, -1, 0.2, 0) | _rect(x, y, -0.35, -1, 0.35, -0.75)


def _bus(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _rect(x, y, -1, -1, 1, 0.7) | _wheels(x, y)


def _car(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _rect(x, y, -1, 0.05, 1, 0.65) | _trapezoid(x, y, 0, -0.7, 0.1, 0.3, 0.75) | _wheels(x, y)


def _cat(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    eyes = _disc(np.abs(x), y, 0.35, 0.1, 0.17)
    ears = _trapezoid(np.abs(x), y, 0.58, -1, 0, 0.0, 0.38)
    return (_disc(x, y, 0, 0.15, 0.85) | ears) & ~eyes


def _chair(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    legs = _rect(np.abs(x), y, 0.42, 0, 0.7, 1)
    return _rect(x, y, -0.7, -1, -0.42, 0.2) | _rect(x, y, -0.7, -0.05, 0.7, 0.25) | legs


def _cow(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    handle = _ring(x, y, 0, -0.68, 0.32, 0.15)
    return _trapezoid(x, y, 0, -0.5, 0.65, 0.4, 0.9) | handle | _disc(x, y, 0, 0.75, 0.25)


def _diningtable(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (
        _rect(x, y, -1, -0.9, 1, -0.5) | _rect(x, y, -0.16, -0.6, 0.16, 0.7) | _trapezoid(x, y, 0, 0.5, 0.9, 0.2, 0.7)
    )


def _dog(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _disc(np.abs(x), np.abs(y), 0.65, 0.35, 0.36) | _rect(x, y, -0.7, -0.27, 0.7, 0.27)


def _horse(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _ring(x, y, 0, -0.1, 0.9, 0.5) & (y < 0.1) | _rect(np.abs(x), y, 0.5, 0, 0.9, 0.9)


def _motorbike(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    radius = 0.8 + 0.2 * np.sign(np.sin(8 * np.arctan2(y, x)))
    squared = x**2 + y**2
    return (squared < radius**2) & (squared > 0.35**2)


def _person(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    arms = _rect(x, y, -0.8, -0.3, 0.8, -0.02)
    legs = _trapezoid(x, y, 0, -0.3, 1, 0.25, 0.6) & ~_trapezoid(x, y, 0, 0.3, 1, 0, 0.3)
    return _disc(x, y, 0, -0.68, 0.34) | arms | legs


def _pottedplant(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    up = y + 0.35
    leaves = np.hypot(x, up) < 0.68 * (0.55 + 0.45 * np.cos(5 * np.arctan2(x, -up)))
    return leaves | _rect(x, y, -0.09, -0.4, 0.09, 0.4) | _trapezoid(x, y, 0, 0.3, 1, 0.65, 0.4)


def _sheep(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) < 0.78 + 0.2 * np.abs(np.cos(3.5 * np.arctan2(y, x)))


def _sofa(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _rect(x, y, -1, 0.1, 1, 0.8) | _rect(np.abs(x), y, 0.6, -0.6, 1, 0.8)


def _train(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    sleepers = (np.abs(x) < 0.95) & (np.abs(y) < 0.95) & (np.mod(y + 0.95, 0.56) < 0.24)
    return sleepers | _rect(np.abs(x), y, 0.4, -1, 0.65, 1)


def _tvmonitor(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    aerial = (np.abs(np.abs(x) - 0.6 * (-0.35 - y)) < 0.11) & (y > -1) & (y < -0.3)
    return _rect(x, y, -0.95, -0.4, 0.95, 1) & ~_rect(x, y, -0.62, -0.12, 0.62, 0.7) | aerial


def _across(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(5.5 * y) + 0 * x > 0


def _upright(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.cos(7 * x) + 0 * y > 0


def _slanted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(4.5 * (x + y)) > 0


def _chevrons(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(6 * (np.abs(x) + y)) > 0


def _waves(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(7 * y + 2.5 * np.sin(5 * x)) > 0


def _checks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(5 * x) * np.sin(5 * y) > 0


def _quarters(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x * y > 0


def _diamonds(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.cos(6 * x) + np.cos(6 * y) > 0


def _circles(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(8 * np.hypot(x, y)) > 0


def _spiral(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(6 * np.hypot(x, y) + 2 * np.arctan2(y, x)) > 0


def _rays(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sin(5 * np.arctan2(x, y)) > 0


def _core(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) < 0.62


def _rim(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.hypot(x, y) > 0.55


def _top(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return y + 0 * x < -0.15


def _bottom(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return y + 0 * x > 0.3


def _side(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x + 0 * y > 0


def _pole(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(x) + 0 * y < 0.4


def _flanks(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(x) + 0 * y > 0.45


def _belt(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(y) + 0 * x < 0.4


def _ends(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.abs(y) + 0 * x > 0.5


EMBLEMS: dict[str, tuple[Field, Field]] = {
    'aeroplane': (_aeroplane, _rim),
    'bicycle': (_bicycle, _side),
    'bird': (_bird, _spiral),
    'boat': (_boat, _bottom),
    'bottle': (_bottle, _belt),
    'bus': (_bus, _checks),
    'car': (_car, _flanks),
    'cat': (_cat, _slanted),
    'chair': (_chair, _ends),
    'cow': (_cow, _diamonds),
    'diningtable': (_diningtable, _pole),
    'dog': (_dog, _quarters),
    'horse': (_horse, _across),
    'motorbike': (_motorbike, _rays),
    'person': (_person, _top),
    'pottedplant': (_pottedplant, _chevrons),
    'sheep': (_sheep, _core),
    'sofa': (_sofa, _waves),
    'train': (_train, _upright),
    'tvmonitor': (_tvmonitor, _circles),
}


def _draw(silhouette: Field, texture: Field, rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Turn, bend, draw and stretch a shape; returns coverage and tone, float32 (height, width, 2) in [0, 1]."""
    longest = max(width, height)
    pixels = int(np.clip(2.6 * longest, 96, max(360, 1.4 * longest)))  # small shapes are supersampled most
    axis = np.linspace(-1.4, 1.4, pixels, dtype=np.float32)
    tilt = np.deg2rad(rng.uniform(-MAX_TILT, MAX_TILT))
    cos, sin = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
    bend, phase = (rng.uniform(0, most, 2).astype(np.float32) for most in (MAX_BEND, 2 * np.pi))
    across = np.float32(rng.choice((-1, 1))) * axis + bend[0] * np.sin(3 * axis[:, None] + phase[0])
    down = axis[:, None] + bend[1] * np.sin(3 * axis + phase[1])
    x, y = cos * across + sin * down, cos * down - sin * across
    inside = silhouette(x, y)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    crop = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = np.float32(rng.uniform(1 - TEXTURE_JITTER, 1 + TEXTURE_JITTER))
    tone = texture(scale * x[crop], scale * y[crop])
    planes = np.dstack((inside[crop], tone)).astype(np.float32)
    return cv2.resize(planes, (width, height), interpolation=cv2.INTER_AREA)


def draw_emblem(name: str, rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Draw the emblem of a class so that it fills a box.

    Args:
        name: One of the 20 VOC class names.
        rng: Source of its tilt, bend, mirroring and texture scale.
        width: Width of the box in pixels.
        height: Height of the box in pixels.

    Returns:
        float32 array (height, width, 2), anti-aliased: how much of a pixel the emblem covers, and how much of that is
        in the second colour.
    """
    return _draw(*EMBLEMS[name], rng, width, height)


def draw_clutter(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Draw a random blob with stripes, neither of any class; arguments and result as `draw_emblem`."""
    waves = np.arange(1, 6, dtype=np.float32)
    amplitude = rng.uniform(-0.35, 0.35, 5).astype(np.float32) / np.sqrt(waves)
    phase = rng.uniform(0, 2 * np.pi, 5).astype(np.float32)
    slope = rng.uniform(-10, 10, 2).astype(np.float32)

    def blob(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        angle = np.arctan2(y, x)
        radius = 0.8 + sum(a * np.sin(k * angle + p) for a, k, p in zip(amplitude, waves, phase, strict=True))
        return np.hypot(x, y) < np.maximum(radius, 0.15)

    def stripes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.sin(slope[0] * x + slope[1] * y + phase[0]) > 0

    return _draw(blob, stripes, rng, width, height)
