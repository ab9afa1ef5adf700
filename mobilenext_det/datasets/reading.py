"""Files that cannot be read: is the file broken, or is the machine in trouble?"""

from __future__ import annotations

import errno
import os

from mobilenext_det.errors import MachineError
from mobilenext_det.trouble import GO_ON, REMEDIES

_OF_THE_FILE = (None, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
_READABLE = 'give this user the right to read it (`chmod -R u+rX FOLDER`)'


def reading_trouble(error: OSError | MemoryError, path: str) -> MachineError | None:
    """Tell the machine's trouble from a file that is missing or broken, when one cannot be read.

    It is made a sentence where it comes up: of an OSError in a loader's worker no number reaches the main process.

    Args:
        error: What came of reading.
        path: The file.

    Returns:
        The trouble, in one sentence; None if the file is to blame.
    """
    number = errno.ENOMEM if isinstance(error, MemoryError) else error.errno
    if number in _OF_THE_FILE:
        return None
    remedy = _READABLE if number in (errno.EACCES, errno.EPERM) else REMEDIES.get(number, REMEDIES[errno.EIO])
    return MachineError(f'{path}: it cannot be read ({os.strerror(number)}); {remedy}. {GO_ON}')
