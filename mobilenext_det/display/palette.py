"""Colours: of the lines and bars of what is compared, and of classes on photographs."""

from __future__ import annotations

import colorsys

PALETTE = ('#4a7fc1', '#e0883b', '#3f9b73', '#b4609f', '#8d7a3c', '#c4524f', '#4ba3b3', '#7c76c9')
GOLDEN_RATIO = 0.618034
LIGHTNESS = (0.45, 0.62, 0.33)


def colour_of(index: int) -> str:
    """Return the colour of one of several things that are compared, by its place; after eight they begin again."""
    return PALETTE[index % len(PALETTE)]


def class_colour(index: int) -> tuple[int, int, int]:
    """Return the colour of a class: hues far apart for neighbouring classes, in three lightnesses.

    Args:
        index: The class's place in the list of classes.

    Returns:
        Red, green and blue in [0, 255].
    """
    red, green, blue = colorsys.hls_to_rgb(index * GOLDEN_RATIO % 1, LIGHTNESS[index % 3], 0.85)
    return round(255 * red), round(255 * green), round(255 * blue)
