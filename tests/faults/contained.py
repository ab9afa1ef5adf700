"""Reading one damaged input after another in a process of its own, with a bound on time and memory."""

import gc
import multiprocessing
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from mobilenext_det.deploy.runtime import DeployError
from mobilenext_det.errors import UserError
from tests.faults.world import lay_out_nothing

SECONDS = 60
"""An input that takes longer hangs: the largest takes a second, and the machine may be busy."""
MEMORY = 1 << 30
"""Bytes that one input may take beyond what the process had before it."""

_fork = multiprocessing.get_context('fork')


class Fault(Exception):
    """Raised by a reader that found something else wrong than an exception: a NaN, an altered value, code that ran."""


def outcomes(read: Callable[[Any], str], inputs: Sequence[Any]) -> Iterator[str]:
    """Read each input in a forked process, and yield what came of it.

    Args:
        read: Reads an input and says 'read' or 'skipped'; raises what it likes.
        inputs: The inputs.

    Yields:
        'read', 'skipped', 'sentence', or a fault: 'FAULT ' and what happened.
    """
    position = 0
    while position < len(inputs):
        ours, theirs = _fork.Pipe(duplex=False)
        process = _fork.Process(target=_read_on, args=(read, inputs[position:], theirs), daemon=True)
        process.start()
        theirs.close()
        while position < len(inputs):
            fault = None
            try:
                outcome = ours.recv() if ours.poll(SECONDS) else None
                fault = f'FAULT hangs for more than {SECONDS} s'
            except EOFError:
                process.join()
                outcome, fault = None, f'FAULT ends the process ({process.exitcode})'
            position += 1
            yield outcome or fault
            if outcome is None:
                process.kill()
                break
        process.join()


def _read_on(read, inputs, connection) -> None:
    gc.freeze()
    lay_out_nothing()
    sys.stderr = sys.stdout = open(os.devnull, 'w')  # noqa: SIM115
    data = _status('VmData')
    resource.setrlimit(resource.RLIMIT_DATA, (data + MEMORY, data + MEMORY))
    for one in inputs:
        connection.send(_outcome(read, one))


def _status(name: str) -> int:
    with open('/proc/self/status') as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith(name))


def _outcome(read, one) -> str:
    try:
        outcome = read(one)
    except (UserError, DeployError) as error:
        if '\n' in str(error).strip() or not str(error).strip():
            return f'FAULT not one sentence: {str(error)[:300]!r}'
        outcome = 'sentence'
    except Fault as error:
        return f'FAULT {error}'
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return (
            f'FAULT {type(error).__name__}: {str(error)[:150]!r} at {os.path.basename(place.filename)}:{place.lineno}'
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    global _before
    _before = _before or peak
    if peak - _before > MEMORY:
        return f'FAULT takes {(peak - _before) >> 20} MiB'
    return outcome


_before = 0


@contextmanager
def replaced(path, data: bytes):
    """Let a file hold other bytes for a while."""
    whole = path.read_bytes()
    path.write_bytes(data)
    try:
        yield path
    finally:
        path.write_bytes(whole)
