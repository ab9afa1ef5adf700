"""The scale curves as small charts, in the style of the evaluation's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import STYLE

_LABELS = dict(
    batch_size='images of a step',
    size='input size in pixels',
    width='width multiplier',
    workers='loader workers',
    processes='processes',
)


def draw_curves(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Speed above and memory below, one column a curve.

    Args:
        rows: `images_per_second`, `quartiles`, `peak_mib` and the value of every point, by curve.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(0.8 + 2.1 * len(rows), 4.2), layout='constrained')
        cells = figure.subplots(2, len(rows), sharey='row', squeeze=False)
        for (name, points), (speed, memory) in zip(rows.items(), cells.T, strict=True):
            values = [point[name] for point in points]
            low, high = zip(*(point['quartiles'] for point in points), strict=True)
            speed.fill_between(values, low, high, color=colour_of(0), alpha=0.15, linewidth=0)
            speed.plot(values, [point['images_per_second'] for point in points], 'o-', color=colour_of(0), markersize=4)
            memory.plot(values, [point['peak_mib'] / 1024 for point in points], 'o-', color=colour_of(1), markersize=4)
            for cell in (speed, memory):
                cell.set_xticks(values, [f'{value:g}' for value in values])
            memory.set_xlabel(_LABELS[name])
        cells[0, 0].set(ylabel='images/s', ylim=(0, None))
        cells[1, 0].set(ylabel='peak memory in GiB', ylim=(0, None))
        figure.align_ylabels()
    return figure
