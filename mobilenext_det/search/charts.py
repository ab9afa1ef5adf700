"""Pictures of a search: the two cells as graphs, and the share of each operation over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path as Curve
from matplotlib.ticker import MaxNLocator

from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import INK, STYLE

from .genotype import CELLS, INPUTS, NODES, Cell, Genotype
from .history import Epoch, read_history
from .operations import NONE, SPACES, operations_of

TITLES = dict(normal='cell that keeps the size', reduce='cell that halves the size')
_ORDER = SPACES['sandglass']  # so that an operation has the same colour in the pictures of both spaces


def draw_search(folder: str | Path) -> None:
    """Draw cells.png and shares.png into the folder of a search.

    Args:
        folder: The folder.

    Raises:
        UsageError: If it has no search.
    """
    history = read_history(folder)
    cell_chart(history[-1].genotype).savefig(Path(folder, 'cells.png'))
    share_chart(history).savefig(Path(folder, 'shares.png'))


def cell_chart(genotype: Genotype) -> Figure:
    """Both cells as graphs: inputs to the left, nodes in their order, edges with the names of their operations.

    Args:
        genotype: The genotype.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 6), layout='constrained')
        for axes, name in zip(figure.subplots(2, 1), CELLS, strict=True):
            _draw_cell(axes, getattr(genotype, name))
            axes.set_title(TITLES[name])
    return figure


def _draw_cell(axes: Axes, cell: Cell) -> None:
    """Draw a cell; edges into a node run above the line of nodes where it has an even number, and below it else."""
    places = [(0.0, 0.8), (0.0, -0.8), *((2.4 * (node + 1), 0.0) for node in range(NODES))]
    names = ['cell\nbefore last', 'last\ncell', *map(str, range(NODES))]
    for node, edges in enumerate(cell):
        for place, (operation, source) in enumerate(edges):
            side = (1 if node % 2 == 0 else -1) * (node + INPUTS - source - 1 + 0.55 * place)
            _draw_edge(axes, places[source], places[node + INPUTS], 0.62 * side, operation)
    for (x, y), name in zip(places, names, strict=True):
        box = dict(boxstyle='round,pad=0.4', facecolor='#eef1f5', edgecolor=INK)
        axes.text(x, y, name, ha='center', va='center', color='#30363f', fontsize=8, zorder=4, bbox=box)
    axes.set(xlim=(-0.7, places[-1][0] + 0.7), ylim=(-2.2, 1.6))
    axes.axis('off')


def _draw_edge(axes: Axes, start: tuple[float, float], end: tuple[float, float], bend: float, operation: str) -> None:
    """Draw a curve that leaves the straight line by `bend` in its middle, where the operation stands."""
    middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + bend
    control = middle[0], middle[1] + bend
    path = Curve([start, control, end], [Curve.MOVETO, Curve.CURVE3, Curve.CURVE3])
    colour = colour_of(_ORDER.index(operation) - 1)
    axes.add_patch(FancyArrowPatch(path=path, arrowstyle='-|>', mutation_scale=10, color=colour, linewidth=1.6))
    box = dict(boxstyle='round,pad=0.15', facecolor='white', edgecolor='none')
    axes.text(*middle, operation, ha='center', va='center', color=colour, fontsize=7.5, zorder=3, bbox=box)


def share_chart(history: Sequence[Epoch]) -> Figure:
    """The mean weight of each operation over a cell's fourteen edges, after every epoch.

    Args:
        history: The epochs.
    """
    operations = operations_of(history[-1].genotype.space)
    epochs = [epoch.epoch for epoch in history]
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 3.6), layout='constrained')
        for axes, name in zip(figure.subplots(1, 2, sharey=True), CELLS, strict=True):
            for place, operation in enumerate(operations):
                shares = [100 * epoch.shares[name][place] for epoch in history]
                style = dict(color=INK, linestyle=':') if operation == NONE else dict(color=colour_of(place - 1))
                axes.plot(epochs, shares, marker='o', markersize=3, label=operation, **style)
            axes.set_title(TITLES[name])
            axes.set(xlabel='epoch', ylim=(0, None))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.axes[0].set_ylabel('share of the weight in percent')
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc='outside right')
    return figure
