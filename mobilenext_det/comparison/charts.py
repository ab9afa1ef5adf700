"""The charts of a comparison, in the style of the evaluation's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import INK, STYLE

from .modes import MODES
from .results import Comparison, Estimate, SeedMean


def draw_charts(comparison: Comparison, folder: Path) -> dict[str, Path]:
    """Write the charts as PNG.

    Args:
        comparison: The numbers.
        folder: Where they go.

    Returns:
        The files of 'accuracy', 'differences', 'classes' and, if something was trained, 'curves'.
    """
    figures = {
        'accuracy': mean_chart(comparison),
        'differences': difference_chart(comparison),
        'classes': class_chart(comparison),
    }
    if any(run.curve.loss for config in comparison.configs.values() for run in config.runs):
        figures['curves'] = curve_chart(comparison)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f'{name}.png' for name in figures}
    for name, figure in figures.items():
        figure.savefig(paths[name])
    return paths


def mean_chart(comparison: Comparison) -> Figure:
    """The mAP of every config in both modes: mean, interval and single runs.

    Args:
        comparison: The numbers.
    """
    configs = comparison.configs
    places = np.arange(len(configs))[::-1]
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 0.42 * len(configs) + 1.1), layout='constrained')
        for axes, (mode, words) in zip(figure.subplots(1, 2, sharey=True), MODES.items(), strict=True):
            for index, (place, config) in enumerate(zip(places, configs.values(), strict=True)):
                _with_interval(axes, place, config.mAP[mode], colour_of(index))
                scores = [run.metrics.mAP[mode] for run in config.runs]
                each = [100 * score for score in scores if score is not None]
                axes.plot(each, [place - 0.24] * len(each), '|', color=INK, markersize=6)
            axes.set_yticks(places, list(configs))
            _horizontal(axes, len(configs), f'mAP ({words}) in percent')
    return figure


def difference_chart(comparison: Comparison) -> Figure:
    """Difference in mAP of every config from the first, in both modes, with intervals.

    Args:
        comparison: The numbers.
    """
    others = comparison.others
    places = np.arange(len(others))[::-1]
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 0.42 * len(others) + 1.1), layout='constrained')
        for axes, (mode, words) in zip(figure.subplots(1, 2, sharey=True), MODES.items(), strict=True):
            axes.axvline(0, color=INK, linewidth=1)
            for index, (place, difference) in enumerate(zip(places, others.values(), strict=True), 1):
                _with_interval(axes, place, difference.mAP[mode], colour_of(index))
            axes.set_yticks(places, list(others))
            _horizontal(axes, len(others), f'difference in mAP ({words}), points')
    return figure


def class_chart(comparison: Comparison) -> Figure:
    """Difference in 11-point AP of every class from the first config, the largest mean difference on top.

    Args:
        comparison: The numbers.
    """
    others = comparison.others
    rows = {
        label: [difference.per_class[label]['11points'] for difference in others.values()]
        for label, objects in comparison.objects.items()
        if objects
    }
    order = sorted(rows, key=lambda label: np.mean([row.mean for row in rows[label]]))
    with rc_context(STYLE):
        figure = Figure(figsize=(11, (0.16 + 0.15 * len(others)) * len(order) + 1.2), layout='constrained')
        axes = figure.subplots()
        axes.axvline(0, color=INK, linewidth=1)
        spread = np.linspace(0.25, -0.25, len(others)) if len(others) > 1 else [0.0]
        for place, label in enumerate(order):
            for index, (offset, row) in enumerate(zip(spread, rows[label], strict=True), 1):
                _with_interval(axes, place + offset, row, colour_of(index), size=4)
        axes.set_yticks(range(len(order)), order)
        _horizontal(axes, len(order), f'difference in AP (11 points) from {comparison.first}, points')
        handles = [Line2D([], [], color=colour_of(index), linewidth=5) for index in range(1, len(others) + 1)]
        figure.legend(handles, list(others), loc='outside upper right', ncols=min(3, len(others)))
    return figure


def curve_chart(comparison: Comparison) -> Figure:
    """Loss and validation mAP over the iterations: every run thin, the mean of a config's runs bold.

    Args:
        comparison: The numbers.
    """
    configs = comparison.configs
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 3.6), layout='constrained')
        loss, score = figure.subplots(1, 2)
        for index, config in enumerate(configs.values()):
            trained = [run.curve for run in config.runs if run.curve.loss]
            losses = [[(step, np.nan if value is None else value) for step, value in curve.loss] for curve in trained]
            _lines(loss, losses, colour_of(index))
            validated = [[(step, _percent(ap)) for step, ap, _ in curve.validation] for curve in trained]
            _lines(score, validated, colour_of(index), marker='o')
        loss.set(xlabel='iteration', ylabel='training loss', yscale='log')
        loss.yaxis.set_major_formatter('{x:g}')
        loss.yaxis.set_minor_formatter(ticker.LogFormatter(labelOnlyBase=False, minor_thresholds=(2, 0.5)))
        score.set(xlabel='iteration', ylabel='mAP (11 points) in percent', ylim=(0, None))
        handles = [Line2D([], [], color=colour_of(index), linewidth=5) for index in range(len(configs))]
        figure.legend(handles, list(configs), loc='outside upper right', ncols=min(3, len(configs)))
    return figure


def _with_interval(axes: Axes, place: float, number: SeedMean | Estimate, colour: str, size: float = 6.5) -> None:
    """A dot for the mean and a line for the interval; nothing where they are undefined."""
    if number.mean is None or number.interval is None:
        return
    low, high = (100 * end for end in number.interval)
    axes.plot([low, high], [place, place], color=colour, linewidth=2.2, alpha=0.55, solid_capstyle='butt')
    axes.plot(100 * number.mean, place, 'o', color=colour, markersize=size)


def _horizontal(axes: Axes, rows: int, label: str) -> None:
    axes.set(xlabel=label, ylim=(-0.6, rows - 0.4))
    axes.tick_params(axis='y', length=0)
    axes.grid(visible=False, axis='y')


def _lines(axes: Axes, curves: Sequence[Sequence[tuple[int, float]]], colour: str, marker: str = '') -> None:
    for curve in curves:
        axes.plot(*zip(*curve, strict=True), color=colour, linewidth=0.8, alpha=0.4)
    if curves and all(len(curve) == len(curves[0]) for curve in curves):
        steps, values = [x for x, _ in curves[0]], np.mean([[y for _, y in curve] for curve in curves], axis=0)
        axes.plot(steps, values, color=colour, linewidth=1.8, marker=marker, markersize=4)


def _percent(value: float | None) -> float:
    return np.nan if value is None else 100 * value
