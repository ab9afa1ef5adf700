"""Trouble that no file is to blame for: a full disk, a folder without the right to write, processes that are killed."""

import ctypes
import os
import resource
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

from mmengine.runner import Runner

from mobilenext import exit_code
from mobilenext_det.checkpoints import load_from_local
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.train import train
from tests.faults.world import World, lay_out_nothing

PATIENCE = 120
"""Seconds within which each of these ends, on a busy machine: nothing hangs."""

END = '`--resume` goes on from the last checkpoint.'

_fork = get_context('fork')


class End(NamedTuple):
    """How a run ended: its exit code, None if it did not, and its last line."""

    code: int | None
    said: str


def full_disk(world: World, folder: Path) -> str:
    """Resume a training whose next checkpoint does not fit: no file may be larger than five MB from there on."""
    return _resumed(world, folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 20, 5 << 20)))


def read_only_folder(world: World, folder: Path) -> str:
    """Resume a training in a folder that lost the right to be written."""
    return _resumed(world, folder, lambda: _lose_rights(folder))


def _lose_rights(folder: Path) -> None:
    folder.chmod(0o555)
    # Of root, the system asks no rights unless it gave up its capabilities.
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    ctypes.CDLL(None, use_errno=True).capset(header, none)


def _resumed(world: World, folder: Path, break_machine: Callable[[], object]) -> str:
    _half(world, folder)
    end = _ended(_start(lambda: (break_machine(), _train(world, folder))[1], folder), folder)
    folder.chmod(0o755)
    return _judge(end, folder)


def killed_worker(world: World, folder: Path) -> str:
    """Kill the process that loads a training's images."""
    _half(world, folder)
    options = ('train_dataloader.num_workers=1',)
    process = _start(lambda: train(load_config(world.tiny_config, options), work_dir=folder), folder)
    while process.is_alive() and not (workers := _workers(process.pid)):
        time.sleep(0.05)
    os.kill(workers[0], signal.SIGKILL)
    return _judge(_ended(process, folder), folder)


def _workers(parent: int) -> list[int]:
    """Return what a process forked and is still its like, not a compiler that it asks for its version."""
    alike = Path(f'/proc/{parent}/cmdline').read_bytes()
    children = Path(f'/proc/{parent}/task/{parent}/children').read_text().split()
    time.sleep(0.1)
    commands = {int(child): Path(f'/proc/{child}/cmdline') for child in children}
    return [child for child, command in commands.items() if command.exists() and command.read_bytes() == alike]


def dead_rank(world: World, folder: Path) -> str:
    """Kill one of two processes that train together, over gloo, without a launcher that would tell the other."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    _half(world, folder)
    _start(lambda: _be_rank(1, port, world, folder), folder.with_name('rank1'))
    return _judge(_ended(_start(lambda: _be_rank(0, port, world, folder), folder), folder), folder)


def _be_rank(rank: int, port: int, world: World, folder: Path) -> None:
    """Train as one of two; the second is killed before its first step."""
    place = dict(RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=2, MASTER_ADDR='127.0.0.1', MASTER_PORT=port)
    os.environ.update({name: str(value) for name, value in place.items()})
    call_hook = Runner.call_hook

    def call_or_die(runner, name, **settings):
        if rank == 1 and name == 'before_train_iter':
            os.kill(os.getpid(), signal.SIGKILL)
        call_hook(runner, name, **settings)

    Runner.call_hook = call_or_die
    train(load_config(world.tiny_config), work_dir=folder, launcher='pytorch')


def _half(world: World, folder: Path) -> None:
    """Take over a training of which two iterations are left."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(world.work_dir, folder)
    (folder / 'iter_12.pth').unlink()
    (folder / 'last_checkpoint').write_text(str(folder / 'iter_10.pth'))


def _train(world: World, folder: Path, *options: str) -> None:
    train(load_config(world.tiny_config, options), work_dir=folder, resume='auto')


def _start(work: Callable[[], None], folder: Path) -> BaseProcess:
    """Do in a forked process what a tool does; what it says goes to a file beside the folder."""
    process = _fork.Process(target=_be_a_tool, args=(work, folder.with_suffix('.said')))
    process.start()
    return process


def _be_a_tool(work: Callable[[], None], said: Path) -> None:
    stream = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(stream, 1)
    os.dup2(stream, 2)
    sys.stdout, sys.stderr = os.fdopen(1, 'w', closefd=False), os.fdopen(2, 'w', closefd=False)
    lay_out_nothing()
    sys.exit(exit_code(work))


def _ended(process: BaseProcess, folder: Path) -> End:
    process.join(PATIENCE)
    code = process.exitcode
    process.kill()
    *_, last = ['', *folder.with_suffix('.said').read_text().strip().splitlines()]
    return End(code, last)


def _judge(end: End, folder: Path) -> str:
    """Say 'sentence', or what is wrong: an end without one, a hang, or a checkpoint that was whole and is not."""
    if end.code is None:
        return f'FAULT hangs for more than {PATIENCE} s'
    if end.code != 2 or END not in end.said:
        return f'FAULT ends with {end.code}: {end.said}'
    try:
        load_from_local((folder / 'last_checkpoint').read_text())
        for path in folder.glob('*.pth'):
            load_from_local(str(path))
    except (OSError, ValueError) as error:
        return f'FAULT loses a checkpoint: {error}'
    return 'sentence'


TROUBLES = {
    'full disk while training': full_disk,
    'folder that lost the right to be written': read_only_folder,
    "loader's worker killed": killed_worker,
    'one rank of two killed (gloo)': dead_rank,
}
