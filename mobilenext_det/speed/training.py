"""Training beside stock MMDetection: real commands that take turns."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

from mobilenext_det.display.tables import markdown_table, render

from .commands import CONFIGS, FP32, NAMES, STOCK, SUBJECTS, Settings, our_command, require, stock_command
from .process_group import Memory
from .report import Report, machine, quartiles, steps
from .training_run import TrainingRun, start_up

_TOGETHER = 2  # of ours beside stock: each holds 4 to 7 GB at batch 24 and 320 pixels
_MEANING = """\
images/s: median over {count} iterations each, waiting for data included, and the quartiles. times stock: ratio of the \
medians to the stock above. MiB: peak resident memory of the training process, and of its loader workers together \
(what they share with it counts in each). {batch_size} images a step, {size}x{size}, {workers} workers; \
`tools/train.py` of each, from scratch, which take turns of {iterations} iterations: while one runs the others are \
stopped."""


class Measured(NamedTuple):
    """What was measured of one subject.

    Attributes:
        seconds: Of each iteration.
        memory: What its processes needed.
    """

    seconds: list[float]
    memory: Memory


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
    require(1, rounds=rounds, iterations=iterations)
    where = machine()
    groups = [(STOCK, *subjects[first : first + _TOGETHER]) for first in range(0, len(subjects), _TOGETHER)]
    measured = []
    with steps() as progress:
        task = progress.add_task('Starting', total=sum(map(len, groups)) * (1 + rounds))

        def advance(doing: str) -> None:
            progress.update(task, advance=1, description=doing)

        for group in groups:
            measured.append(_take_turns(settings, group, rounds, iterations, advance))
    return report(measured, settings, iterations, where)


def report(measured: Sequence[Mapping[str, Measured]], settings: Settings, iterations: int, where: str) -> Report:
    """Turn seconds into speeds beside stock.

    Args:
        measured: What was measured of each subject, in groups that took turns: stock, and at least one of ours.
        settings: What all have in common.
        iterations: Iterations of a turn.
        where: The machine.
    """
    rows = [row for group in measured for row in _rows(group, settings.batch_size)]
    count = len(rows[0]['seconds'])
    said = _MEANING.format(count=count, iterations=iterations, **settings._asdict())
    headline = next((row for row in rows if row['name'] == 'mobilenext'), rows[1])
    ours, ratio = headline['images_per_second'], headline['ratio']
    numbers = dict(ours=ours, stock=ours / ratio, ratio=ratio, unit='images/s', rows=rows, machine=where)
    return Report(f'{_table(rows)}\n\n{said}\n\nMachine: {where}.', numbers)


def _take_turns(
    settings: Settings, names: Sequence[str], rounds: int, iterations: int, advance: Callable[[str], None]
) -> dict[str, Measured]:
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
        return {name: Measured(seconds[name], run.memory()) for name, run in runs.items()}


def _rows(measured: Mapping[str, Measured], batch_size: int) -> list[dict[str, Any]]:
    """Turn seconds into speeds beside that of stock, which is the first."""
    rows = []
    for name, own in measured.items():
        low, middle, high = quartiles([batch_size / second for second in own.seconds])
        stock = rows[0]['images_per_second'] if rows else middle
        speed = dict(images_per_second=middle, quartiles=[low, high], ratio=middle / stock)
        rows.append(dict(name=name, **speed, peak_mib=own.memory._asdict(), seconds=own.seconds))
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
