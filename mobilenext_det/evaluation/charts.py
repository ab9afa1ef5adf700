"""The charts of the report, to be read on white and on black: no background, grey text, colours of middle lightness."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.typing import ColorType

from mobilenext_det.display.fonts import drawable, styled
from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import INK

from .errors import KINDS, ErrorBreakdown
from .summary import ClassResult, Summary


def precision_recall_curves(names: Sequence[str], summaries: Sequence[Summary]) -> Figure:
    """One small chart a class with objects, the operating point of best F1 marked.

    Args:
        names: Names of the sets of detections.
        summaries: Their evaluations.
    """
    labels = [label for label, result in enumerate(summaries[0].classes) if result.objects]
    columns = min(5, max(1, len(labels)))
    rows = max(1, math.ceil(len(labels) / columns))
    with styled([*names, *(result.name for result in summaries[0].classes)]):
        layout = ConstrainedLayoutEngine(h_pad=0.09, w_pad=0.07)
        figure = Figure(figsize=(11, 2.2 * rows + 0.5), layout=layout)
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        for cell in axes.flat[len(labels) :]:
            cell.remove()
        for cell, label in zip(axes.flat, labels, strict=False):
            for index, summary in enumerate(summaries):
                _curve(cell, summary.classes[label], colour_of(index), filled=len(summaries) == 1)
            cell.set(title=drawable(summaries[0].classes[label].name), xlim=(0, 1.02), ylim=(0, 1.04))
            cell.set_xticks((0, 0.5, 1), ('0', '.5', '1'))
            cell.set_yticks((0, 0.5, 1), ('0', '.5', '1'))
        figure.supxlabel('recall', fontsize=9, color=INK)
        figure.supylabel('precision', fontsize=9, color=INK)
        _legend(figure, names)
    return figure


def _curve(axes: Axes, result: ClassResult, colour: str, filled: bool) -> None:
    if not len(result.curve.recall):
        return
    recall = np.concatenate([[0], result.curve.recall])
    precision = np.concatenate([result.curve.precision[:1], result.curve.precision])
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    axes.plot(recall, precision, color=colour, linewidth=0.8, alpha=0.5)
    axes.step(recall, envelope, where='pre', color=colour, linewidth=1.4)
    if filled:
        axes.fill_between(recall, envelope, step='pre', color=colour, alpha=0.1, linewidth=0)
    if result.best:
        axes.plot(result.best.recall, result.best.precision, 'o', color=colour, markersize=4.5)


def average_precision_bars(names: Sequence[str], summaries: Sequence[Summary]) -> Figure:
    """AP of every class with objects, the highest first: both modes of one set, or 11 points of two.

    Args:
        names: Names of the sets of detections.
        summaries: Their evaluations.
    """
    results = [result for result in summaries[0].classes if result.objects]
    order = sorted(range(len(results)), key=lambda index: results[index].AP_11points)
    if len(summaries) == 1:
        bars = {'11 points': [r.AP_11points for r in results], 'area': [r.AP_area for r in results]}
        colours: tuple[ColorType, ColorType] = colour_of(0), to_rgba(colour_of(0), 0.45)
    else:
        by_name = [{r.name: r.AP_11points for r in summary.classes} for summary in summaries]
        bars = {drawable(name): [values[r.name] for r in results] for name, values in zip(names, by_name, strict=True)}
        colours = colour_of(0), colour_of(1)
    with styled([*names, *(result.name for result in results)]):
        figure = Figure(figsize=(11, 0.34 * len(results) + 1.2), layout='constrained')
        axes = figure.subplots()
        places, height = np.arange(len(results)), 0.36
        for side, (name, values), colour in zip((0.5, -0.5), bars.items(), colours, strict=True):
            ordered = [100 * values[index] for index in order]
            container = axes.barh(places + side * height, ordered, height, color=colour, label=name)
            axes.bar_label(container, fmt='%.1f', padding=3, fontsize=7, color=INK)
        axes.set_yticks(places, [drawable(results[index].name) for index in order])
        axes.set(xlim=(0, 106), xlabel='average precision in percent', xticks=range(0, 101, 20))
        axes.set_ylim(-0.6, max(len(results), 1) - 0.4)
        axes.tick_params(axis='y', length=0)
        axes.grid(visible=False, axis='y')
        figure.legend(loc='outside upper right', ncols=2)
    return figure


def error_bars(names: Sequence[str], breakdowns: Sequence[ErrorBreakdown]) -> Figure:
    """What every kind of error costs.

    Args:
        names: Names of the sets of detections.
        breakdowns: Their errors.
    """
    with styled(names):
        figure = Figure(figsize=(11, 2.9), layout='constrained')
        axes = figure.subplots()
        places, width = np.arange(len(KINDS)), 0.7 / len(breakdowns)
        for index, breakdown in enumerate(breakdowns):
            offset = (index - (len(breakdowns) - 1) / 2) * width
            costs = [100 * breakdown.cost[kind] for kind in KINDS]
            container = axes.bar(places + offset, costs, width * 0.92, color=colour_of(index))
            axes.bar_label(container, fmt='%.1f', padding=3, fontsize=8, color=INK)
        axes.set_xticks(places, KINDS, fontsize=9)
        axes.tick_params(axis='x', length=0)
        axes.grid(visible=False, axis='x')
        axes.margins(y=0.15)
        axes.set_ylabel('mAP points lost')
        _legend(figure, names)
    return figure


def confusion_map(classes: Sequence[str], matrix: np.ndarray) -> Figure:
    """Shares of the objects of a class by what they were taken for; counts are written into the cells.

    Args:
        classes: Names of the classes.
        matrix: (C + 1, C + 1) counts of :func:`~mobilenext_det.evaluation.confusion.confusion_matrix`.
    """
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    colours = np.empty((*matrix.shape, 4))
    colours[...] = to_rgba(colour_of(0))
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    colours[off_diagonal] = to_rgba(colour_of(1))
    colours[..., 3] = np.sqrt(shares)
    side = min(11.0, 0.42 * len(matrix) + 2.6)
    with styled(classes):
        figure = Figure(figsize=(side, side * 0.94), layout='constrained')
        axes = figure.subplots()
        axes.imshow(colours, interpolation='none')
        for row, column in np.argwhere(matrix > 0) if len(matrix) <= 41 else ():
            ink = 'white' if shares[row, column] > 0.45 else INK
            axes.text(column, row, matrix[row, column], ha='center', va='center', color=ink, fontsize=7)
        places = range(len(matrix))
        axes.set_xticks(places, [*map(drawable, classes), 'missed'], rotation=50, ha='right', rotation_mode='anchor')
        axes.set_yticks(places, [*map(drawable, classes), 'background'])
        axes.set_xlabel('detected as')
        axes.set_ylabel('object')
        axes.set_xticks(np.arange(len(matrix) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(matrix) - 1) + 0.5, minor=True)
        axes.axhline(len(classes) - 0.5, color=INK, linewidth=0.8)
        axes.axvline(len(classes) - 0.5, color=INK, linewidth=0.8)
        axes.grid(visible=False)
        axes.grid(which='minor', linewidth=0.5)
        axes.tick_params(which='both', length=0)
    return figure


def _legend(figure: Figure, names: Sequence[str]) -> None:
    if len(names) > 1:
        handles = [Line2D([], [], color=colour, linewidth=5) for colour in map(colour_of, range(len(names)))]
        figure.legend(handles, [drawable(name) for name in names], loc='outside upper right', ncols=2)
