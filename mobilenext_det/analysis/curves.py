"""Loss and validation scores of training runs over their iterations: what `tools/analysis/curves.py` calls."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure

from mobilenext_det.display.palette import colour_of
from mobilenext_det.display.style import STYLE
from mobilenext_det.errors import UsageError

TIMES = ('time', 'data_time', 'iter', 'memory')  # of the machine, not of the training


class Curve(NamedTuple):
    """What mmengine logged of a run, without the prefixes of its names.

    Attributes:
        train: Losses and rates, each entry with its `step`, in the order of the steps.
        val: Scores, in the same form.
    """

    train: list[dict[str, float]]
    val: list[dict[str, float]]


def curves(runs: Sequence[Path], score: str, out: Path) -> dict[str, Curve]:
    """Read runs, write each as `NAME.json` and all of them as one plot, and print their last scores.

    Args:
        runs: Work dirs of runs, or files that this function wrote.
        score: The validation score to plot.
        out: Folder for the files and `curves.png`.

    Returns:
        The curves by name.

    Raises:
        UsageError: If there is no such run, nothing in its logs, or no such score.
    """
    found = {run.stem: read_curve(run) for run in runs}
    write_curves(found, score, out)
    for name, curve in found.items():
        last = curve.val[-1]
        print(f'{name}: {score} {last[score]:.4f} after {last["step"]} iterations')
    print(f'Written: {out / "curves.png"}')
    return found


def read_curve(path: Path) -> Curve:
    """Read a run's curve; what was done twice, after a kill, counts the last time.

    Args:
        path: A run's work dir, with the logs of every start of the run, or a file that `write_curves` wrote.

    Raises:
        UsageError: If there is no such run, or nothing in its logs.
    """
    if path.is_file():
        return Curve(**json.loads(path.read_text()))
    logs = sorted(path.glob('*/vis_data/scalars.json'))
    train: dict[int, dict[str, float]] = {}
    val: dict[int, dict[str, float]] = {}
    for line in (line for log in logs for line in log.read_text().splitlines()):
        entry = {key.rpartition('/')[2]: value for key, value in json.loads(line).items() if key not in TIMES}
        (train if 'loss' in entry else val)[entry['step']] = entry
    if not train:
        raise UsageError(f'{path} holds no log of a training: name the work dir of a run, or a curve as JSON.')
    return Curve(*([entries[step] for step in sorted(entries)] for entries in (train, val)))


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
        if not any(score in entry for entry in curve.val):
            known = sorted({key for entry in curve.val for key in entry} - {'step'})
            raise UsageError(f'{name} has no score {score}; it has {", ".join(known) or "none"}.')
    out.mkdir(parents=True, exist_ok=True)
    for name, curve in curves.items():
        (out / f'{name}.json').write_text(json.dumps(curve._asdict(), indent=1) + '\n')
    curve_plot(curves, score).savefig(out / 'curves.png')


def curve_plot(curves: Mapping[str, Curve], score: str) -> Figure:
    """Plot training losses on the left and a validation score on the right."""
    with rc_context(STYLE):
        figure = Figure(figsize=(11, 3.6), layout='constrained')
        loss, scores = figure.subplots(1, 2)
        for index, (name, curve) in enumerate(curves.items()):
            validated = [entry for entry in curve.val if score in entry]
            for axes, entries, key, style in (
                (loss, curve.train, 'loss', {}),
                (scores, validated, score, dict(marker='o')),
            ):
                steps = [entry['step'] for entry in entries]
                axes.plot(steps, [entry[key] for entry in entries], color=colour_of(index), label=name, **style)
        loss.set(xlabel='iteration', ylabel='training loss')
        scores.set(xlabel='iteration', ylabel=score, ylim=(0, None))
        figure.legend(*loss.get_legend_handles_labels(), loc='outside upper right', ncols=min(3, len(curves)))
    return figure
