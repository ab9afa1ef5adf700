"""Training beside stock MMDetection: real commands that take turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from mobilenext_det.engine import UsageError
from mobilenext_det.evaluation.tables import markdown_table, render

from .commands import CONFIGS, FP32, NAMES, STOCK, SUBJECTS, Settings, our_command, stock_command
from .report import Report, machine, quartiles, steps
from .training_run import TrainingRun, start_up

_TOGETHER = 2  # of ours beside stock: each holds 4 to 7 GB at batch 24 and 320 pixels
_MEANING = """\
images/s: median over {count} iterations each, waiting for data included, and the quartiles. times stock: ratio of the \
medians to the stock above. MiB: peak resident memory of the training process, and of its loader workers together \
(what they share with it counts in each). {batch_size} images a step, {size}x{size}, {workers} workers; \
`tools/train.py` of each, from scratch, which take turns of {iterations} iterations: while one runs the others are \
stopped."""


def compare_training(
    settings: Settings, subjects: Sequence[str] = SUBJECTS, rounds: int = 3, iterations: int = 4
) -> Report:
    """Train stock MMDetection's SSDLite and ours in turns, two of ours at a time.

    Args:
        settings: What all have in common.
        subjects: Of `SUBJECTS`; the headline is MobileNeXt's if it is among them, and the first one's if not.
        rounds: Turns of each.
        iterations: Iterations that are timed in a turn.

    Returns:
        Images per second.

    Raises:
        UsageError: If a setting or the data is of no use, or a training ends.
    """
    settings.check()
    for option, given in (('--rounds', rounds), ('--iterations', iterations)):
        if given < 1:
            raise UsageError(f'{option} {given} measures nothing: take 1 or more.')
    where = machine()
    groups = [(STOCK, *subjects[first : first + _TOGETHER]) for first in range(0, len(subjects), _TOGETHER)]
    rows = []
    with steps() as progress:
        task = progress.add_task('Starting', total=sum(map(len, groups)) * (1 + rounds))

        def advance(doing: str) -> None:
            progress.update(task, advance=1, description=doing)

        for group in groups:
            rows += _rows(_take_turns(settings, group, rounds, iterations, advance), settings.batch_size)
    said = _MEANING.format(count=rounds * iterations, iterations=iterations, **settings._asdict())
    headline = next((row for row in rows if row['name'] == 'mobilenext'), rows[1])
    ours, ratio = headline['images_per_second'], headline['ratio']
    numbers = dict(ours=ours, stock=ours / ratio, ratio=ratio, unit='images/s', rows=rows, machine=where)
    return Report(f'{_table(rows)}\n\n{said}\n\nMachine: {where}.', numbers)


def _take_turns(
    settings: Settings, names: Sequence[str], rounds: int, iterations: int, advance: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    """Start one after another until its loaders are in step with it, then give each its turn, again and again."""
    seconds = {name: [] for name in names}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runs = {}
        for name in names:
            command = stock_command(settings, folder) if name == STOCK else our_command(name, settings, folder)
            runs[name] = stack.enter_context(closing(TrainingRun(name, command, folder / name)))
            runs[name].wait_for(start_up(settings.workers))
            runs[name].pause()
            advance(f'Started {name}')
        for number in range(rounds):
            for name, run in runs.items():
                seconds[name] += run.take_turn(iterations)
                advance(f'Round {number + 1}, {name}')
        return {name: dict(seconds=seconds[name], peak_mib=run.memory()._asdict()) for name, run in runs.items()}


def _rows(measured: dict[str, dict[str, Any]], batch_size: int) -> list[dict[str, Any]]:
    """Turn seconds into speeds beside that of stock, which is the first."""
    rows = []
    for name, own in measured.items():
        low, middle, high = quartiles([batch_size / second for second in own['seconds']])
        stock = rows[0]['images_per_second'] if rows else middle
        rows.append(dict(name=name, images_per_second=middle, quartiles=[low, high], ratio=middle / stock, **own))
    return rows


def _table(rows: Sequence[dict[str, Any]]) -> str:
    table = markdown_table(['training', 'numbers'], ['images/s', 'quartiles', 'times stock', 'MiB', 'MiB, workers'])
    for row in rows:
        network = row['name'].removesuffix(FP32)
        low, high = row['quartiles']
        table.add_row(
            NAMES[network],
            'default' if row['name'] in CONFIGS else 'fp32',
            f'{row["images_per_second"]:.2f}',
            f'{low:.2f} - {high:.2f}',
            f'{row["ratio"]:.2f}',
            *(f'{mib:.0f}' for mib in row['peak_mib'].values()),
        )
    return render(table)
