"""The look of plots, to be read on white and on black: no background, grey text, colours of middle lightness."""

from __future__ import annotations

from typing import Any

COLOURS = ('#4a7fc1', '#e0883b')  # of the first and the second of what is compared
PALETTE = (*COLOURS, '#3f9b73', '#b4609f', '#8d7a3c', '#c4524f', '#4ba3b3', '#7c76c9')
INK, FAINT = '#707a8a', (0.5, 0.53, 0.58, 0.25)
STYLE: dict[str, Any] = {
    'font.size': 9,
    'axes.titlesize': 9.5,
    'axes.labelsize': 9,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.edgecolor': FAINT,
    'axes.facecolor': 'none',
    'axes.grid': True,
    'axes.axisbelow': True,
    'grid.color': FAINT,
    'grid.linewidth': 0.7,
    'figure.facecolor': 'none',
    'figure.dpi': 160,
    'savefig.facecolor': 'none',
    'text.color': INK,
    'axes.titlecolor': INK,
    'axes.labelcolor': INK,
    'xtick.color': INK,
    'ytick.color': INK,
    'xtick.labelsize': 8,
    'ytick.labelsize': 8,
    'legend.frameon': False,
    'legend.fontsize': 8.5,
}


def colour_of(index: int) -> str:
    """Return the colour of one of several that are compared, by its place; after eight they begin again."""
    return PALETTE[index % len(PALETTE)]
