"""What a source file holds, whoever wrote it: named tensors, and what lies beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from mobilenext_det.checkpoints import load_from_local
from mobilenext_det.errors import UsageError

from .paddle_file import load_paddle, to_torch

# Where files keep their weights, if not at the top.
_WRAPPERS = ('state_dict', 'model')


@dataclass
class Source:
    """A source file that was read.

    Attributes:
        file: Its path.
        sha256: Its digest.
        weights: Its tensors by name, without the prefix that DataParallel adds.
        dropped: The reason why it is not converted, for everything else in the file by name.
    """

    file: str
    sha256: str
    weights: dict[str, Tensor]
    dropped: dict[str, str]


def read_source(file: str, paddle: bool = False) -> Source:
    """Read a file of weights, tensors only.

    Args:
        file: A file that ``torch.save`` wrote.
        paddle: Whether ``paddle.save`` wrote it.

    Returns:
        What it holds.

    Raises:
        UsageError: If the file is missing or damaged, names anything that could run code, or holds no weights.
    """
    if not Path(file).is_file():
        raise UsageError(f'There is no file {file}.')
    saved = load_paddle(file) if paddle else load_from_local(file, 'cpu')
    if not isinstance(saved, Mapping):
        raise UsageError(f'{file} holds a {type(saved).__name__}, not weights by name.')
    dropped = {}
    wrapper = next((name for name in _WRAPPERS if isinstance(saved.get(name), Mapping)), None)
    if wrapper:
        dropped = {str(name): f'not in the file\'s "{wrapper}"' for name in saved if name != wrapper}
        saved = saved[wrapper]
    if paddle:
        saved = to_torch(saved)
    prefix = 'module.' if all(str(name).startswith('module.') for name in saved) else ''
    weights = {}
    for name, value in saved.items():
        if isinstance(value, Tensor):
            weights[str(name).removeprefix(prefix)] = value
        else:
            dropped[str(name)] = f'no tensor but of type {type(value).__name__}'
    if not weights:
        raise UsageError(f'{file} holds no weights, neither at its top nor in {" or ".join(map(repr, _WRAPPERS))}.')
    return Source(file, hashlib.sha256(Path(file).read_bytes()).hexdigest(), weights, dropped)
