"""What a benchmark has to say: tables for people, one line of JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mobilenext_det.errors import BadDataError, UsageError
from mobilenext_det.hardware import cpu_name

_PACKAGES = {'torch': 'PyTorch', 'mmdet': 'MMDetection'}


class Report(NamedTuple):
    """The result of a benchmark.

    Attributes:
        text: Tables and what they mean.
        numbers: `ours`, `stock` and `ratio`, which says how many times as fast as stock ours is; and more in detail.
    """

    text: str
    numbers: dict[str, Any]

    def show(self, as_json: bool) -> None:
        """Print it, with the numbers in the last line if they are asked for."""
        print(self.text)
        if as_json:
            print(json.dumps(self.numbers, allow_nan=False))


def conclude(measure: Callable[[], Report], as_json: bool) -> int:
    """Measure and print the result, or say in one sentence what is wrong; return a tool's exit code.

    Args:
        measure: The benchmark.
        as_json: Whether the numbers are to be the last line.
    """
    try:
        report = measure()
    except (BadDataError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2
    report.show(as_json)
    return 0


def machine() -> str:
    """Say what was measured on, and how busy it was when the measurement began."""
    versions = [f'{name} {version(package)}' for package, name in _PACKAGES.items()]
    return f'{", ".join([cpu_name(), f"{os.cpu_count()} cores", *versions])}; load {os.getloadavg()[0]:.1f} before'


def steps() -> Progress:
    """Return a progress bar on the error stream that counts steps."""
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.completed} of {task.total}'))
    return Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, middle, high = np.percentile(values, (25, 50, 75))
    return float(low), float(middle), float(high)
