"""Trouble of the machine, said in a sentence: a full disk, a folder that cannot be written, a process that is gone."""

from __future__ import annotations

import errno
import re

REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), 'make room, or write to another folder'),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), 'name a folder in which this user may write'),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), 'allow more open files (`ulimit -n 65536`), or take fewer workers'),
    **dict.fromkeys(
        (errno.EIO, errno.ESTALE, errno.ENOTCONN), 'look whether its disk or network folder is still there'
    ),
    errno.ENOMEM: 'take fewer workers or a smaller batch',
}
# What torch says of processes that it has lost; of no type that it shares with nothing else.
_PROCESSES = {
    r'DataLoader worker \(pid\S* [\d, ]+\) (?:is killed|exited)': (
        'A process that loads images was killed, most often for want of memory: take fewer workers or a smaller batch'
    ),
    r'Connection (?:closed|reset) by (?:remote )?peer|Socket Timeout|Timed out waiting \d+ms for (?:recv|send)': (
        'Another process of this run is gone or cannot be reached: its own output says why'
    ),
}
GO_ON = 'What was saved is whole, and `--resume` goes on from the last checkpoint.'


def trouble(error: Exception) -> str | None:
    """Say what is wrong with the machine, and what can be done about it.

    Args:
        error: What a tool ended in.

    Returns:
        One or two sentences; None if the machine is not to blame.
    """
    if isinstance(error, OSError) and error.errno in REMEDIES:
        return f'{error.filename or "A file"}: {error.strerror}; {REMEDIES[error.errno]}. {GO_ON}'
    if isinstance(error, MemoryError):
        return f'The memory is used up; {REMEDIES[errno.ENOMEM]}. {GO_ON}'
    for pattern, what in _PROCESSES.items():
        if isinstance(error, RuntimeError) and re.search(pattern, str(error)):
            return f'{what}. {GO_ON}'
    return None
