"""Reading checkpoints, other people's too, without letting them run code."""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from mobilenext_det.errors import CheckpointError, UsageError


class _History(HistoryBuffer):
    """Takes the numbers of a pickled ``HistoryBuffer`` and leaves the functions that were saved with them."""

    def __setstate__(self, state: dict) -> None:
        super().__init__(state['_log_history'], state['_count_history'], state['max_length'])


def _nothing(*args: Any) -> None:
    """Stand in for ``getattr``: a pickled ``HistoryBuffer`` calls it to find those functions."""


def _scalar(dtype: np.dtype, data: bytes) -> np.generic:
    return np.frombuffer(data, dtype)[0]


# What mmengine's own checkpoints name besides tensors (mmengine#1655), and what is called instead. NumPy 1 and 2 name
# their module differently; setting a dtype's byte order needs its class, object arrays have no entry.
_STAND_INS: dict[str, Any] = {
    'mmengine.logging.history_buffer.HistoryBuffer': _History,
    'builtins.getattr': _nothing,
    'numpy.dtype': np.dtype,
    'numpy.ndarray': np.ndarray,
    **{f'numpy.{core}.multiarray.scalar': _scalar for core in ('core', '_core')},
    **{
        f'numpy.{core}.multiarray._reconstruct': np.empty(0).__reduce__()[0] for core in ('core', '_core')
    },
    **{f'numpy.dtypes.{type(np.dtype(code)).__name__}': type(np.dtype(code)) for code in '?bhilqBHILQefdU'},
}  # fmt: skip

_NAMES_STAND_INS = hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint')  # torch 2.6 and later


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Read a checkpoint file as ``torch.load(weights_only=True)`` does, and also those that mmengine itself writes.

    Importing :mod:`mobilenext_det` makes this mmengine's reader of local files, so that ``load_from``, ``--resume``,
    ``init_detector`` and ``Pretrained`` use it. The one it replaces fails on mmengine's checkpoints since torch 2.6
    (mmengine#1655); of all other files the two read the same.

    Args:
        filename: The file.
        map_location: As in :func:`torch.load`.

    Returns:
        What was saved.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If the file is damaged or no checkpoint, or names anything that could run code.
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f'There is no checkpoint {filename}.')
    try:
        _check_archive(path)
        with _stand_ins():
            return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # a damaged file can raise anything
        name = re.search(r'GLOBAL (\S+)', str(error))
        if isinstance(error, UnpicklingError) and name:
            raise CheckpointError(
                f'{filename} needs {name[1]}, and could run code with it when loaded: where it is trusted, save its '
                'state_dict in a file of its own and load that.'
            ) from error
        reason = 'not written by torch.save' if isinstance(error, UnpicklingError) else str(error).partition('\n')[0]
        raise CheckpointError(f'{filename} cannot be read as a checkpoint ({reason}).') from error


def _check_archive(path: Path) -> None:
    """Raise if an archive was altered since it was written, or is of a kind whose reading may run code.

    torch checks no sums: one bit flipped on a disk is another weight. And releases before 2.6 hand TorchScript and tar
    files to readers of their own whatever ``weights_only`` says (CVE-2025-32434).
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if broken := archive.testzip():
                raise zlib.error(f'{broken} in it was altered since it was written')
            if any(name.rpartition('/')[2] == 'constants.pkl' for name in archive.namelist()):
                raise UnpicklingError('it is a TorchScript file')
    elif tarfile.is_tarfile(path):
        raise UnpicklingError('it is a tar file')


def _stand_ins() -> AbstractContextManager:
    """Allow what mmengine's checkpoints name; releases before 2.6 cannot, and refuse such files."""
    if not _NAMES_STAND_INS:
        return nullcontext()
    return torch.serialization.safe_globals([(stand_in, name) for name, stand_in in _STAND_INS.items()])


def require_checkpoint(path: str) -> None:
    """Check that a checkpoint is there, unless it is an address.

    Args:
        path: The file.

    Raises:
        UsageError: If there is no such file.
    """
    if '://' not in path and not Path(path).is_file():
        raise UsageError(f'There is no checkpoint {path}.')


CheckpointLoader.register_scheme(prefixes='', loader=load_from_local, force=True)
