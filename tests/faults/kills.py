"""Processes killed by SIGKILL at chosen moments of what they do to files, and what they leave behind."""

import json
import os
import shutil
import signal
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import torch

from mobilenext_det.comparison.compare import compare
from mobilenext_det.comparison.run_record import read_run, write_run
from mobilenext_det.datasets.image_check import check_complete
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.train import train
from tests.faults.world import World, lay_out_nothing
from tests.fixtures.work_dirs import same

WRITES = {'open', 'os.rename', 'os.remove', 'os.mkdir', 'os.truncate'}
LONGEST = 0.02
"""Seconds after which at the latest a process is killed once it has come to the step chosen for its death."""

_fork = get_context('fork')


def run(work: Callable[[], object], folder: Path, step: int | None = None, delay: float = 0) -> int:
    """Run something in a forked process, up to a step or to its end.

    Args:
        work: What to run.
        folder: Where steps are counted: each opening for writing, renaming and removing of a file in it is one.
        step: The step at which the process is killed; None lets it run.
        delay: Seconds from the step to the kill, so that it falls into what follows, such as half of a file's writing.

    Returns:
        The exit code, -9 if it was killed.
    """
    process = _fork.Process(target=_run, args=(work, str(folder), step, delay))
    process.start()
    process.join()
    return process.exitcode


def count_steps(work: Callable[[], object], folder: Path) -> int:
    """Run something to its end and return how many steps it takes."""
    ours, theirs = _fork.Pipe(duplex=False)
    process = _fork.Process(target=_count, args=(work, str(folder), theirs))
    process.start()
    steps = ours.recv()
    process.join()
    assert process.exitcode == 0
    return steps


def _run(work, folder, step, delay):
    _silence()
    if step is not None:
        _at_each_step(folder, lambda number: number == step and _die_after(delay))
    work()


def _count(work, folder, connection):
    _silence()
    numbers = [0]
    _at_each_step(folder, numbers.append)
    work()
    connection.send(numbers[-1])


def _at_each_step(folder: str, act: Callable[[int], object]) -> None:
    """Call `act` with the number of each step before it is made."""
    number = 0

    def listen(event, arguments):
        nonlocal number
        if event not in WRITES or not str(arguments[0]).startswith(folder):
            return
        if event == 'open' and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        number += 1
        act(number)

    sys.addaudithook(listen)


def _die_after(delay: float) -> None:
    if delay:
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
    else:
        os.kill(os.getpid(), signal.SIGKILL)


def _silence() -> None:
    lay_out_nothing()
    sys.stdout = sys.stderr = open(os.devnull, 'w')  # noqa: SIM115


class Work(ABC):
    """Something that writes files and can be done again.

    Args:
        world: Where its inputs are.
        folder: What it writes; emptied before each kill.
    """

    what: str

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder.resolve()

    def prepare(self) -> None:
        """Make the folder as it is before the work."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    @abstractmethod
    def __call__(self) -> None:
        """Do the work, or the rest of it."""

    @abstractmethod
    def read(self) -> Any:
        """Read every file that has its final name; raises if one is not whole."""

    def result(self) -> Any:
        """Return what is to be the same after the work, however often it was killed."""
        return self.read()


class Training(Work):
    """A training of twelve iterations with six checkpoints and two validations, resumed from the last checkpoint."""

    what = 'training'

    def __call__(self) -> None:
        train(load_config(self.world.tiny_config), work_dir=self.folder, resume='auto')

    def read(self) -> dict:
        last = self.folder / 'last_checkpoint'
        checkpoints = {path: torch.load(path, weights_only=True) for path in self.folder.glob('*.pth')}
        assert not last.exists() or Path(last.read_text()) in checkpoints
        return checkpoints

    def result(self) -> dict:
        last = self.read()[self.folder / 'iter_12.pth']
        history = {
            name: one['log_history'] for name, one in last['message_hub']['log_scalars'].items() if 'time' not in name
        }
        best = last['message_hub']['runtime_info']['best_score']
        return {
            **{key: last[key] for key in ('state_dict', 'optimizer', 'param_schedulers')},
            'history': history,
            'best': best,
        }


class RunFile(Work):
    """The file of a finished run, written over an older one."""

    what = 'run file'

    def prepare(self) -> None:
        super().prepare()
        shutil.copy(self.world.run_file.with_name('bccd_mobilenetv2_block-seed0.json'), self.folder / 'run.json')

    def __call__(self) -> None:
        write_run(self.folder / 'run.json', read_run(self.world.run_file))

    def read(self) -> dict:
        return read_run(self.folder / 'run.json').as_dict()


class Report(Work):
    """The report of a comparison, page, numbers and plots, written over an older one."""

    what = 'report'

    def prepare(self) -> None:
        super().prepare()
        shutil.copytree(self.world.run_file.parent, self.folder / 'runs')
        self()

    def __call__(self) -> None:
        compare([], str(self.folder), report_only=True)

    def read(self) -> dict:
        for plot in self.folder.glob('plots/*.png'):
            check_complete(str(plot))
        html = (self.folder / 'comparison.html').read_text()
        assert html.rstrip().endswith('</html>')
        return json.loads((self.folder / 'comparison.json').read_text())


def kill(work: Work, count: int, seed: int = 0) -> Iterator[str]:
    """Kill a work at random steps, do it again, and compare.

    Args:
        work: The work.
        count: How often.
        seed: Of the steps and delays.

    Yields:
        'same' or a fault, for each kill.
    """
    random = Random(f'{work.what} {seed}')
    work.prepare()
    steps = count_steps(work, work.folder)
    whole = work.result()
    for _ in range(count):
        work.prepare()
        step, delay = random.randint(1, steps), random.choice((0, random.uniform(0, LONGEST)))
        yield _outcome(work, whole, step, delay)


def _outcome(work: Work, whole: Any, step: int, delay: float) -> str:
    code = run(work, work.folder, step, delay)
    try:
        work.read()
    except Exception as error:
        return f'FAULT killed at step {step} + {delay:.4f} s, a file is broken: {error}'
    if code not in (0, -signal.SIGKILL):
        return f'FAULT ends with {code} at step {step}'
    if run(work, work.folder):
        return f'FAULT cannot go on after a kill at step {step} + {delay:.4f} s'
    return 'same' if same(work.result(), whole) else f'FAULT differs after a kill at step {step} + {delay:.4f} s'
