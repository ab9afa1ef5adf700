"""Training beside stock MMDetection: real commands that take turns."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from mobilenext_det.engine import UsageError
from mobilenext_det.evaluation.tables import markdown_table, render

from .commands import FP32, STOCK, SUBJECTS, Settings, our_command, stock_command
from .process_group import Memory
from .report import Report, machine, quartiles, steps
from .training_run import TrainingRun

_PREFETCH = 2  # batches that torch's loader has each worker fetch ahead
_NAMES = {
    STOCK: 'stock MMDetection, MobileNetV2',
    'mobilenetv2': 'MobileNetV2 (expansion)',
    'mobilenext': 'MobileNeXt',
}
_MEANING = """\
images/s: median over {count} iterations each, waiting for data included, and the quartiles. times stock: ratio of the \
medians. MiB: peak resident memory of the training process, and of its loader workers together (what they share with \
it counts in each). {batch_size} images a step, {size}x{size}, {workers} workers; `tools/train.py` of each, from \
scratch, which take turns of {iterations} iterations: while one runs all others are stopped."""


def compare_training(
    settings: Settings, subjects: Sequence[str] = SUBJECTS, rounds: int = 3, iterations: int = 4
) -> Report:
    """Train stock MMDetection's SSDLite and ours in turns.

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
    for option, given in (('--rounds', rounds), ('--iterations', iterations), ('--subjects', len(subjects))):
        if given < 1:
            raise UsageError(f'{option} {given} measures nothing: take 1 or more.')
    where = machine()
    seconds, memory = _take_turns(settings, subjects, rounds, iterations)
    speeds = {name: quartiles([settings.batch_size / one for one in own]) for name, own in seconds.items()}
    stock = speeds[STOCK][1]
    table = markdown_table(['training', 'numbers'], ['images/s', 'quartiles', 'times stock', 'MiB', 'MiB, workers'])
    for name, (low, middle, high) in speeds.items():
        network, _, fp32 = name.partition(FP32[0])
        used = 'fp32' if fp32 or name == STOCK else 'default'
        own = (f'{memory[name].main:.0f}', f'{memory[name].others:.0f}')
        table.add_row(_NAMES[network], used, f'{middle:.2f}', f'{low:.2f} - {high:.2f}', f'{middle / stock:.2f}', *own)
    said = _MEANING.format(count=rounds * iterations, iterations=iterations, **settings._asdict())
    headline = speeds['mobilenext' if 'mobilenext' in subjects else subjects[0]][1]
    rows = {
        name: dict(
            images_per_second=speed[1],
            quartiles=[speed[0], speed[2]],
            ratio=speed[1] / stock,
            peak_mib=memory[name]._asdict(),
            seconds=seconds[name],
        )
        for name, speed in speeds.items()
    }
    numbers = dict(ours=headline, stock=stock, ratio=headline / stock, unit='images/s', subjects=rows, machine=where)
    return Report(f'{render(table)}\n\n{said}\n\nMachine: {where}.', numbers)


def _take_turns(
    settings: Settings, subjects: Sequence[str], rounds: int, iterations: int
) -> tuple[dict[str, list[float]], dict[str, Memory]]:
    """Start one after another until its loaders are in step with it, then give each its turn, again and again."""
    start_up = 1 + _PREFETCH * settings.workers  # the first iteration, and the batches that were fetched meanwhile
    seconds = {name: [] for name in (STOCK, *subjects)}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        progress = stack.enter_context(steps())
        task = progress.add_task('Starting', total=len(seconds) * (1 + rounds))
        runs = {}
        for name in seconds:
            command = stock_command(settings, folder) if name == STOCK else our_command(name, settings, folder)
            runs[name] = stack.enter_context(closing(TrainingRun(name, command, folder / name)))
            runs[name].wait_for(start_up)
            runs[name].pause()
            progress.advance(task)
        for number in range(rounds):
            for name, run in runs.items():
                progress.update(task, description=f'Round {number + 1}, {name}')
                seconds[name] += run.take_turn(iterations)
                progress.advance(task)
        return seconds, {name: run.memory() for name, run in runs.items()}
