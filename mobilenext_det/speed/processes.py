"""A command in a process group of its own that can be measured and paused, loader workers and all."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # of Linux' prctl.h


@dataclass(frozen=True)
class Memory:
    """Peak resident memory in MiB, by the high-water marks that Linux keeps.

    Attributes:
        main: Of the process that was started.
        others: Of all its descendants together. What a forked worker shares with its parent counts in both.
    """

    main: float
    others: float

    @property
    def total(self) -> float:
        """Of all processes together."""
        return self.main + self.others


class ProcessGroup:
    """A command and its descendants. It does not outlive this process, however this one ends.

    Args:
        command: The command.
        log: File for what it prints.
        answers: Whether its output is no log but answers to what comes in its input.
        env: Its environment; None for that of this process.

    Attributes:
        started: When it was started, as `time.time()`.
    """

    def __init__(
        self, command: Sequence[str], log: Path, answers: bool = False, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        with log.open('w') as output:
            self.started = time.time()
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE if answers else subprocess.DEVNULL,
                stdout=subprocess.PIPE if answers else output,
                stderr=output,
                text=True,
                env=env,
                preexec_fn=_own_group,  # Popen's process_group needs Python 3.11
            )

    def pause(self) -> None:
        """Stop every process of the group where it is."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.poll()

    def last_line(self) -> str:
        """Return the last line that it printed, what `python -X importtime` prints aside."""
        lines = (line.strip() for line in reversed(self.log.read_text(errors='replace').splitlines()))
        return next((line for line in lines if line and not line.startswith('import time:')), 'it said nothing')

    @property
    def pid(self) -> int:
        """Number of the process that was started."""
        return self._process.pid

    def memory(self) -> Memory:
        """Read how much memory the processes that are running have needed."""
        main, *others = (peak_mib(pid) for pid in self._members())
        return Memory(main, sum(others))

    def close(self) -> None:
        """End all of it, paused or not."""
        for pid in self._members():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # whoever has lost its parent
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def _members(self) -> list[int]:
        """The process and its descendants, which may have left the group, as torchrun's do."""
        children: dict[int, list[int]] = {}
        for entry in Path('/proc').glob('[0-9]*'):
            if (parent := _parent(entry)) is not None:
                children.setdefault(parent, []).append(int(entry.name))
        members = [self.pid]
        for pid in members:  # grows as it goes
            members += children.get(pid, [])
        return members


def _own_group() -> None:
    os.setpgrp()
    # By this signal the kernel ends a paused group whose parent is gone; under nohup it would be ignored.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if sys.platform == 'linux':
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _parent(process: Path) -> int | None:
    try:
        return int((process / 'stat').read_text().rpartition(')')[2].split()[1])
    except OSError:  # it has just ended
        return None


def peak_mib(pid: int | str = 'self') -> float:
    """Read the largest resident memory that a process has had.

    The peak that `resource` has is no use: it begins with the size of the process that started this one.

    Args:
        pid: Its number.

    Returns:
        MiB; 0 if the process is gone, or the system does not say.
    """
    return _status_mib(pid, 'VmHWM')


def resident_mib(pid: int | str = 'self') -> float:
    """Read the resident memory that a process has now; otherwise as `peak_mib`."""
    return _status_mib(pid, 'VmRSS')


def _status_mib(pid: int | str, key: str) -> float:
    try:
        lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) / 1024 for line in lines if line.startswith(f'{key}:'))
