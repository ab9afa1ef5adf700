"""The plots of the gradient report, in the style of the evaluation's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import cast

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import INK, STYLE

from .gradient_confusion import WHOLE
from .measurement import Measurement

BOX = 0.6  # opacity of a box


def draw_charts(results: Sequence[Measurement], folder: Path) -> None:
    """Write cosines.png, cosines_by_stage.png and, where there are bottlenecks, information.png."""
    charts = dict(cosines=cosines(results), cosines_by_stage=cosines_by_stage(results))
    if any(result.bottlenecks for result in results):
        charts['information'] = information(results)
    for name, figure in charts.items():
        figure.savefig(folder / f'{name}.png')


def cosines(results: Sequence[Measurement]) -> Figure:
    """Cosines of the whole network's gradients, over pairs of mini-batches: networks side by side at each point."""
    networks = _by_network(results)
    points = _point_names(networks)
    with rc_context(STYLE):
        figure = Figure(figsize=(max(5, 1.2 + 1.3 * len(results)), 3.8), layout='constrained')
        axes = figure.subplots()
        width = 0.8 / len(networks)
        for index, measurements in enumerate(networks.values()):
            colour = colour_of(index)
            offset = (index - (len(networks) - 1) / 2) * width
            for point, result in enumerate(measurements):
                values = result.confusion[WHOLE].cosines
                violin = axes.violinplot([values], [point + offset], widths=0.9 * width, showextrema=False)
                (body,) = cast(list[PolyCollection], violin['bodies'])  # matplotlib's types say one Collection
                body.set(facecolor=colour, alpha=0.3, linewidth=0)
                _boxes(axes, [values], [point + offset], 0.14 * width, colour)
        _cosine_axis(axes, range(len(points)), points)
        _legend(figure, [(name, colour_of(index), 1.0) for index, name in enumerate(networks)])
    return figure


def cosines_by_stage(results: Sequence[Measurement]) -> Figure:
    """Cosines by stage of the backbone and part of the detector: one row a network, points of training side by side."""
    networks = _by_network(results)
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 0.6 + 2.6 * len(networks)), layout='constrained')
        rows = figure.subplots(len(networks), 1, sharey=True, squeeze=False)[:, 0]
        for row, (axes, (name, measurements)) in enumerate(zip(rows, networks.items(), strict=True)):
            colour = colour_of(row)
            groups = [*measurements[0].confusion]
            width = 0.8 / len(measurements)
            for index, result in enumerate(measurements):
                offset = (index - (len(measurements) - 1) / 2) * width
                values = [result.confusion[group].cosines for group in groups]
                strength = _strength(index, len(measurements))
                _boxes(axes, values, np.arange(len(groups)) + offset, 0.85 * width, colour, strength)
            _cosine_axis(axes, range(len(groups)), groups)
            axes.set_title(name, loc='left')
            shades = [BOX * _strength(index, len(measurements)) for index in range(len(measurements))]
            points = [result.point for result in measurements]
            handles = [
                Patch(facecolor=to_rgba(colour, shade), label=point)
                for shade, point in zip(shades, points, strict=True)
            ]
            axes.legend(handles=handles, loc='lower right', bbox_to_anchor=(1, 1), ncols=len(handles), borderpad=0)
    return figure


def information(results: Sequence[Measurement]) -> Figure:
    """Effective rank and linear reconstruction along the blocks: a colour a network, its last point in full."""
    networks = _by_network([result for result in results if result.bottlenecks])
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 6.6), layout='constrained')
        (before, after), (input_lost, wide_lost) = figure.subplots(2, 2, sharex=True)
        for place, measurements in enumerate(networks.values()):
            colour = colour_of(place)
            blocks = measurements[0].bottlenecks
            depth = np.linspace(0, 1, len(blocks))
            before.plot(depth, [block.channels_before for block in blocks], ':', color=colour, linewidth=1)
            after.plot(depth, [block.channels_after for block in blocks], ':', color=colour, linewidth=1)
            for index, result in enumerate(measurements):
                style = dict(color=colour, alpha=_strength(index, len(measurements)), linewidth=1.5, markersize=3)
                style['marker'] = 'o'
                style['linestyle'] = '-' if index == len(measurements) - 1 else '--'
                blocks = result.bottlenecks
                before.plot(depth, [block.rank_before for block in blocks], **style)
                after.plot(depth, [block.rank_after for block in blocks], **style)
                input_lost.plot(depth, [block.input_lost for block in blocks], **style)
                wide_lost.plot(depth, [block.wide_lost for block in blocks], **style)
        for axes, title in ((before, 'before the bottleneck'), (after, 'after the bottleneck')):
            axes.set_title(f'effective rank {title} (dotted: channels)')
            axes.set_yscale('log', base=2)
            axes.yaxis.set_major_formatter('{x:g}')
        input_lost.set_title("variance of the block's input that the bottleneck's output cannot restore")
        wide_lost.set_title('variance of what enters the bottleneck that its output cannot restore')
        for axes in (input_lost, wide_lost):
            axes.set(xlabel='block, first to last', ylim=(-0.03, 1.03))
            axes.set_xticks([])
            axes.yaxis.set_major_formatter(lambda value, _: f'{value:.0%}')
        handles = [
            Line2D(
                [],
                [],
                color=colour_of(place),
                alpha=_strength(index, len(measurements)),
                marker='o',
                markersize=3,
                linestyle='-' if index == len(measurements) - 1 else '--',
                label=f'{name}, {result.point}',
            )
            for place, (name, measurements) in enumerate(networks.items())
            for index, result in enumerate(measurements)
        ]
        figure.legend(handles=handles, loc='outside upper center', ncols=2)
    return figure


def _by_network(results: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    networks: dict[str, list[Measurement]] = {}
    for result in results:
        networks.setdefault(result.network, []).append(result)
    return networks


def _point_names(networks: dict[str, list[Measurement]]) -> list[str]:
    """Name the first, second ... points of all networks; where checkpoints are called differently, all their names."""
    columns = zip_longest(*([result.point for result in measurements] for measurements in networks.values()))
    return [' / '.join(dict.fromkeys(filter(None, column))) for column in columns]


def _strength(index: int, points: int) -> float:
    """Return the opacity of a point of training, full for the last."""
    return 0.4 + 0.6 * index / (points - 1) if points > 1 else 1.0


def _boxes(
    axes: Axes,
    values: Sequence[list[float]],
    places: Sequence[float] | np.ndarray,
    width: float,
    colour: str,
    strength: float = 1,
) -> None:
    """Draw quartiles as boxes, the median in the full colour, so that it is seen where a box has no height."""
    axes.boxplot(
        values,
        positions=places,
        widths=width,
        patch_artist=True,
        manage_ticks=False,
        whis=(0, 100),
        showcaps=False,
        boxprops=dict(facecolor=to_rgba(colour, BOX * strength), linewidth=0),
        whiskerprops=dict(color=INK, linewidth=0.8),
        medianprops=dict(color=colour, linewidth=1.8),
    )


def _cosine_axis(axes: Axes, places: Sequence[int], names: Sequence[str]) -> None:
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_ylabel('cosine of two gradients')
    axes.set_xticks(places, names)
    axes.grid(visible=False, axis='x')
    axes.tick_params(axis='x', length=0)


def _legend(figure: Figure, entries: Sequence[tuple[str, str, float]]) -> None:
    handles = [Patch(facecolor=to_rgba(colour, alpha), label=name) for name, colour, alpha in entries]
    figure.legend(handles=handles, loc='outside upper center', ncols=min(2, len(handles)))
