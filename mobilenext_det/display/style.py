"""The look of plots, to be read on white and on black: no background, grey text, colours of middle lightness."""

from __future__ import annotations

from typing import Any

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
    'text.parse_math': False,  # a name with dollar signs is a name; a log axis needs a formatter without mathematics
}
