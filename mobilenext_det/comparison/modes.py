"""The two ways to average precision over recall, and a number for each of them in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

Number = TypeVar('Number')

MODES = {'11points': '11 points', 'area': 'area'}  # by name in the metric, what people call it


def with_prefix(prefix: str, values: Mapping[str, Number]) -> dict[str, Number]:
    """Name numbers by mode for JSON, such as 'mAP_area'.

    Args:
        prefix: 'AP' or 'mAP'.
        values: The numbers by mode.
    """
    return {f'{prefix}_{mode}': values[mode] for mode in MODES}


def without_prefix(prefix: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Undo :func:`with_prefix`; other keys are not looked at.

    Args:
        prefix: 'AP' or 'mAP'.
        record: What was read from JSON.
    """
    return {mode: record[f'{prefix}_{mode}'] for mode in MODES}
