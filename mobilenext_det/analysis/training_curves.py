"""Loss and validation scores of training runs over their iterations, from the logs that mmengine writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from mobilenext_det.display.style import STYLE, colour_of
from mobilenext_det.errors import UsageError

Curve = Mapping[str, list[dict[str, float]]]
TIMES = ('time', 'data_time', 'iter', 'memory')  # of the machine, not of the training


def read_curve(path: Path) -> Curve:
    """Read a run's curve.

    Args:
        path: A run's work dir, with the logs of every start of the run, or a file that `write_curves` wrote.

    Returns:
        `train`, the logged losses and rates, and `val`, the scores, without their prefixes; both in the order of
        their `step`. What was done twice, after a kill, counts the last time.

    Raises:
        UsageError: If there is no such run, or nothing in its logs.
    """
    if path.is_file():
        return json.loads(path.read_text())
    logs = sorted(path.glob('*/vis_data/scalars.json'))
    curve: dict[str, dict[int, dict]] = {'train': {}, 'val': {}}
    for line in (line for log in logs for line in log.read_text().splitlines()):
        entry = {key.rpartition('/')[2]: value for key, value in json.loads(line).items() if key not in TIMES}
        curve['train' if 'loss' in entry else 'val'][entry['step']] = entry
    if not curve['train']:
        raise UsageError(f'{path} holds no log of a training: name the work dir of a run, or a curve as JSON.')
    return {phase: [entries[step] for step in sorted(entries)] for phase, entries in curve.items()}


def write_curves(curves: Mapping[str, Curve], score: str, out: Path) -> None:
    """Write each curve as `NAME.json` and all of them as one plot, `curves.png`.

    Args:
        curves: The curves by name.
        score: The validation score to plot.
        out: The folder.

    Raises:
        UsageError: If a curve has no such score.
    """
    for name, curve in curves.items():
        if not any(score in entry for entry in curve['val']):
            known = sorted({key for entry in curve['val'] for key in entry} - {'step'})
            raise UsageError(f'{name} has no score {score}; it has {", ".join(known) or "none"}.')
    out.mkdir(parents=True, exist_ok=True)
    for name, curve in curves.items():
        (out / f'{name}.json').write_text(json.dumps(curve, indent=1) + '\n')
    curve_plot(curves, score).savefig(out / 'curves.png')


def curve_plot(curves: Mapping[str, Curve], score: str) -> Figure:
    """Plot training losses on the left and a validation score on the right."""
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 3.6), layout='constrained')
        loss, scores = figure.subplots(1, 2)
        for index, (name, curve) in enumerate(curves.items()):
            validated = [entry for entry in curve['val'] if score in entry]
            for axes, entries, key, style in (
                (loss, curve['train'], 'loss', {}),
                (scores, validated, score, dict(marker='o')),
            ):
                steps = [entry['step'] for entry in entries]
                axes.plot(steps, [entry[key] for entry in entries], color=colour_of(index), label=name, **style)
        loss.set(xlabel='iteration', ylabel='training loss')
        scores.set(xlabel='iteration', ylabel=score, ylim=(0, None))
        figure.legend(*loss.get_legend_handles_labels(), loc='outside upper right', ncols=min(3, len(curves)))
    return figure
