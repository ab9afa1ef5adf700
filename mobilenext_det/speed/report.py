"""What a benchmark has to say: tables for people, one line of JSON for programs."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mobilenext_det.display.tables import Column, Table
from mobilenext_det.files import write_atomically
from mobilenext_det.hardware import cpu_name

_PACKAGES = {'onnxruntime': 'ONNX Runtime', 'executorch': 'ExecuTorch', 'torch': 'PyTorch', 'mmdet': 'MMDetection'}

Quartiles = tuple[float, float]
Row = TypeVar('Row')
Columns = Mapping[str, Callable[[Row], str]]  # what is in the cell of a row, by heading


@dataclass(frozen=True)
class Report(ABC):
    """The result of a benchmark; its fields are the keys of the JSON object."""

    @property
    @abstractmethod
    def text(self) -> str:
        """Tables and what they mean."""

    @property
    def numbers(self) -> dict[str, Any]:
        """All of it, for programs."""
        return asdict(self)

    def show(self, as_json: bool) -> None:
        """Print it, with the numbers in the last line if they are asked for."""
        print(self.text)
        if as_json:
            print(json.dumps(self.numbers, allow_nan=False))

    def write(self, path: Path) -> None:
        """Write it as JSON and as Markdown.

        Args:
            path: Where to, without a suffix.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        numbers = json.dumps(self.numbers, indent=1, allow_nan=False)
        for suffix, text in (('.json', numbers), ('.md', self.text)):
            write_atomically(f'{text}\n'.encode(), path.with_name(f'{path.name}{suffix}'))


@dataclass(frozen=True)
class Comparison(Report, ABC):
    """The result of a benchmark beside stock MMDetection.

    Attributes:
        ours: Speed or time of ours.
        stock: That of stock.
        ratio: How many times as fast as stock ours is.
        unit: Of both.
        machine: What was measured on.
    """

    ours: float
    stock: float
    ratio: float
    unit: str
    machine: str


@dataclass(frozen=True)
class Machine:
    """What was measured on: the processor, its cores, and the versions of packages; None of one that is not there."""

    cpu: str
    cores: int | None
    onnxruntime: str | None
    executorch: str | None
    torch: str | None
    mmdet: str | None

    @classmethod
    def here(cls) -> Machine:
        """Return this machine."""
        return cls(cpu_name(), os.cpu_count(), **{package: _version(package) for package in _PACKAGES})

    def __str__(self) -> str:
        """Return it in one line."""
        versions = [f'{name} {getattr(self, key)}' for key, name in _PACKAGES.items() if getattr(self, key)]
        return ', '.join([self.cpu, f'{self.cores} cores', *versions])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def machine() -> str:
    """Say what is measured on, and how busy it is before the measurement."""
    return f'{Machine.here()}; load {os.getloadavg()[0]:.1f} before'


def table(rows: Sequence[Row], words: Columns[Row], numbers: Columns[Row]) -> str:
    """Make a table in Markdown.

    Args:
        rows: What it is of.
        words: The columns of words, which come first.
        numbers: The columns of numbers.
    """
    columns = [Column(heading, cell, words=heading in words) for heading, cell in {**words, **numbers}.items()]
    return Table(columns, [[row] * len(columns) for row in rows]).markdown()


def spread(values: Sequence[float] | np.ndarray) -> tuple[float, Quartiles]:
    """Return the median, and the lower and the upper quartile."""
    low, median, high = (float(value) for value in np.percentile(values, (25, 50, 75)))
    return median, (low, high)


def between(quartiles: Quartiles, digits: int) -> str:
    """Return quartiles as a cell of a table: '4.40 - 5.40'."""
    low, high = quartiles
    return f'{low:.{digits}f} - {high:.{digits}f}'
