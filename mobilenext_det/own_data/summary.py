"""What `tools/prepare.py` prints."""

from __future__ import annotations

from rich.console import Console

from .page import class_table, problem_table, recall_table
from .prepare import Prepared


def print_summary(prepared: Prepared) -> None:
    """Print what is in the data, what is wrong with it, what was chosen, and the commands that come next."""
    console, plan = Console(highlight=False, soft_wrap=True), prepared.plan
    console.print(class_table(prepared.parts, prepared.classes).rich())
    if prepared.labels.problems:
        console.print(problem_table(prepared.labels.problems).rich())
    console.print(recall_table(plan).rich())
    pace = ''
    if prepared.seconds is not None:
        minutes = prepared.max_iters * prepared.seconds / 60
        pace = f', {minutes:.0f} minutes at {plan.batch_size / prepared.seconds:.1f} images/s'
    levels = f'{len(plan.priors.strides)} levels from stride {plan.priors.strides[0]}'
    epochs = prepared.max_iters * plan.batch_size / len(prepared.parts['train'])
    console.print(
        f'{prepared.labels.form}. Input of {plan.input_size} pixels, {levels}; {prepared.max_iters} iterations of '
        f'{plan.batch_size} images ({epochs:.0f} epochs){pace}.\n{prepared.page} shows the data. Next:\n',
        markup=False,
    )
    if prepared.former:
        console.print(f'  {prepared.former} is the config of before.', markup=False)
    console.print(f'  python tools/train.py {prepared.config}', markup=False)
    console.print(f'  python tools/detect.py --run work_dirs/{prepared.config.stem} IMAGE --out found', markup=False)
