"""Checkpoints made of tensors and plain Python only."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer, print_log

_AS_THEY_ARE = (str, bytes, bool, int, float, complex, type(None), torch.Size, torch.dtype, torch.device)
_HISTORY_KEYS = {'log_history', 'count_history', 'max_length'}


def to_plain(value: Any, name: str = 'checkpoint') -> Any:
    """Turn what a checkpoint holds into what ``torch.load(weights_only=True)`` reads without any exception allowed.

    A log's ``HistoryBuffer`` becomes a dict of two tensors (lists of 240000 iterations would take seconds to read),
    NumPy scalars and arrays become numbers and lists, config dicts plain dicts. What has no plain form is left out,
    and named in a warning.

    Args:
        value: The checkpoint or a part of it.
        name: Where that part is, for the warning.

    Returns:
        The plain value; tensors are shared, not copied.
    """
    if isinstance(value, torch.Tensor) or type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, HistoryBuffer):
        log, count = value.data
        return dict(
            log_history=torch.from_numpy(log), count_history=torch.from_numpy(count), max_length=value.max_length
        )
    if isinstance(value, Counter):
        return value
    if isinstance(value, Mapping):
        return _plain_mapping(value, name)
    if isinstance(value, list | tuple | set | frozenset):
        items = [to_plain(item, f'{name}[{index}]') for index, item in enumerate(value)]
        return items if isinstance(value, list) else tuple(items) if isinstance(value, tuple) else set(items)
    for builtin in (str, int, float):  # subclasses, such as enumerations and numbers that carry something
        if isinstance(value, builtin):
            return builtin(value)
    raise TypeError(f'{name} holds a {type(value).__name__}, which has no plain form')


def _plain_mapping(value: Mapping, name: str) -> dict:
    plain: dict = OrderedDict() if isinstance(value, OrderedDict) else {}
    for key, item in value.items():
        try:
            plain[to_plain(key, name)] = to_plain(item, f'{name}.{key}')
        except TypeError as error:
            print_log(f'{error}: left out of the checkpoint.', logger='current', level=30)
    if hasattr(value, '_metadata'):  # the versions that a module's state_dict carries
        plain._metadata = value._metadata  # type: ignore[attr-defined]  # torch's own way to keep them
    return plain


def restore_histories(log_scalars: dict) -> None:
    """Make ``HistoryBuffer`` objects again, in place, of what :func:`to_plain` made of them.

    Args:
        log_scalars: ``checkpoint['message_hub']['log_scalars']``.
    """
    for key, value in log_scalars.items():
        if isinstance(value, dict) and value.keys() == _HISTORY_KEYS:
            log, count = (value[part].cpu().numpy() for part in ('log_history', 'count_history'))
            log_scalars[key] = HistoryBuffer(log, count, value['max_length'])
