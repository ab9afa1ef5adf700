"""Pictures of a search: the edges of the two cells, and the share of each operation over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
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
    """Both cells: a column for each input and node, an arrow of its own line for each edge, with its operation's name.

    Args:
        genotype: The genotype.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(10, 5), layout='constrained')
        for axes, name in zip(figure.subplots(1, 2), CELLS, strict=True):
            _draw_cell(axes, getattr(genotype, name))
            axes.set_title(TITLES[name], pad=18)
    return figure


def _draw_cell(axes: Axes, cell: Cell) -> None:
    names = ['cell before\nthe last', 'last\ncell', *(f'node {node}' for node in range(NODES))]
    edges = [(node, edge) for node, pair in enumerate(cell) for edge in pair]
    for column, name in enumerate(names):
        box = dict(boxstyle='round,pad=0.35', facecolor='#eef1f5', edgecolor=INK)
        axes.axvline(column, color=INK, linewidth=0.6, zorder=0)
        axes.text(column, -0.9, name, ha='center', va='center', color='#30363f', fontsize=7.5, bbox=box)
    for line, (node, edge) in enumerate(edges):
        style = dict(arrowstyle='-|>', shrinkA=0, shrinkB=0, color=colour_of(_ORDER.index(edge.operation) - 1))
        axes.annotate('', (node + INPUTS, line), (edge.source, line), arrowprops=dict(linewidth=1.6, **style))
        axes.plot(edge.source, line, 'o', markersize=4, color=style['color'])
        middle = (edge.source + node + INPUTS) / 2
        box = dict(boxstyle='square,pad=0.1', facecolor='white', edgecolor='none')
        place = middle, line - 0.12
        axes.text(*place, edge.operation, ha='center', va='bottom', fontsize=7.5, color=style['color'], bbox=box)
    axes.set(xlim=(-0.6, len(names) - 0.4), ylim=(len(edges) - 0.5, -1.4))
    axes.axis('off')


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
            axes.set_xlabel('epoch')
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.axes[0].set_ylabel('share of the weight in percent')
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc='outside right')
    return figure
