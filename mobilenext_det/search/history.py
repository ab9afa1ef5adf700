"""A search over time, read from what it wrote after every epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mobilenext_det.errors import UsageError

from .genotype import CELLS, Genotype, read_genotype
from .operations import operations_of


class Epoch(NamedTuple):
    """What a search had found after an epoch.

    Attributes:
        epoch: Its number, from 1 on.
        genotype: The genotype.
        shares: The mean weight of each operation over a cell's edges, (operations,), by the kind of the cell.
    """

    epoch: int
    genotype: Genotype
    shares: Mapping[str, np.ndarray]


def epoch_file(folder: str | Path, epoch: int) -> Path:
    """Return the file of an epoch in the folder of a search."""
    return Path(folder, 'epochs', f'{epoch:03d}.json')


def read_history(folder: str | Path) -> list[Epoch]:
    """Read all epochs of a search.

    Args:
        folder: Its folder.

    Raises:
        UsageError: If it has none, or one is damaged.
    """
    files = sorted(epoch_file(folder, 0).parent.glob('*.json'))
    if not files:
        raise UsageError(f'{folder} holds no search: tools/search.py writes epochs/ there.')
    return [_read_epoch(read_json(file), file) for file in files]


def read_json(file: Path) -> Any:
    """Read a file that a search or an experiment wrote.

    Args:
        file: The file.

    Raises:
        UsageError: If it is damaged.
    """
    try:
        return json.loads(file.read_text())
    except ValueError as error:
        raise UsageError(f'{file} is damaged ({error}): take it away.') from None


def _read_epoch(state: Mapping[str, Any], file: Path) -> Epoch:
    genotype = read_genotype(state['genotype'])
    shares = {cell: np.mean(state['operation_weights'][cell], axis=0) for cell in CELLS}
    if any(len(shares[cell]) != len(operations_of(genotype.space)) for cell in CELLS):
        raise UsageError(f'{file} does not fit the search space {genotype.space!r}.')
    return Epoch(state['epoch'], genotype, shares)
