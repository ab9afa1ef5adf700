"""Reading Paddle's weight files without Paddle, and without letting them run code."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mobilenext_det.errors import CheckpointError

# Paddle's names of what PyTorch's batch norm has.
_STATISTICS = {'_mean': 'running_mean', '_variance': 'running_var'}


def _bytes(text: str, encoding: str) -> bytes:
    """Stand in for ``codecs.encode``, by which pickles of protocol 2 make bytes."""
    return text.encode('latin1')


# All that a pickled dict of arrays names; NumPy 1 and 2 name their module differently.
_ALLOWED = {
    'collections.OrderedDict': OrderedDict,
    'numpy.dtype': np.dtype,
    'numpy.ndarray': np.ndarray,
    '_codecs.encode': _bytes,
    **{f'numpy.{core}.multiarray._reconstruct': np.empty(0).__reduce__()[0] for core in ('core', '_core')},
}


class _ArrayUnpickler(pickle.Unpickler):
    """Builds dicts and arrays; whatever else a file names is refused by that name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names, if it is part of an array."""
        if f'{module}.{name}' not in _ALLOWED:
            raise CheckpointError(f'needs {module}.{name}, and could run code with it when loaded')
        return _ALLOWED[f'{module}.{name}']


def load_paddle(path: str) -> Any:
    """Read a ``.pdparams`` file: a pickled dict of arrays.

    Args:
        path: The file.

    Returns:
        What was saved, arrays as NumPy's.

    Raises:
        CheckpointError: If the file is damaged or another one, or names anything that could run code.
    """
    try:
        with Path(path).open('rb') as file:
            return _ArrayUnpickler(file, encoding='latin1').load()
    except CheckpointError as error:
        raise CheckpointError(f'{path} {error}: only files that paddle.save wrote of a state_dict are read.') from None
    except Exception as error:  # a damaged file can raise anything
        unknown = isinstance(error, pickle.UnpicklingError)
        reason = 'not written by paddle.save' if unknown else str(error).partition('\n')[0]
        raise CheckpointError(f'{path} cannot be read as a file of Paddle ({reason}).') from error


def to_torch(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Give arrays the names and the layout that PyTorch has for them.

    Args:
        saved: A ``state_dict`` of Paddle's.

    Returns:
        The same with tensors for arrays; what is no array stays as it is.
    """
    weights = {}
    for key, value in saved.items():
        module, dot, leaf = key.rpartition('.')
        weights[module + dot + _STATISTICS.get(leaf, leaf)] = (
            _tensor(value) if isinstance(value, np.ndarray) and value.dtype != object else value
        )
    return weights


def _tensor(array: np.ndarray) -> Tensor:
    """Copy an array; the only matrices are those of linear layers, (in, out) in Paddle and (out, in) in PyTorch."""
    return torch.from_numpy(np.array(array.T if array.ndim == 2 else array, order='C'))
