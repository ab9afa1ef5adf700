"""What an experiment's searches found, as a table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from mobilenext_det.display.tables import Column, Table, number, percent
from mobilenext_det.errors import UsageError

from .history import read_json

RECORDS = 'records'
"""The folder of an experiment that has a JSON file of each search."""


def experiment_table(out: str | Path) -> Table:
    """Return a row for each search config: means over its seeds, and how far apart the seeds' accuracies are.

    Args:
        out: The folder of the experiment.

    Raises:
        UsageError: If no search is finished there, or a record is damaged.
    """
    records = [read_json(path) for path in sorted(Path(out, RECORDS).glob('*.json'))]
    if not records:
        raise UsageError(f'{out} holds no result: tools/search_experiment.py writes {RECORDS}/ there.')
    table = Table(
        [
            Column('search', words=True),
            Column('seeds'),
            Column('edges with sandglass, %', percent),
            Column('params', number),
            Column('MAdds', number),
            Column('top-1, %', percent),
            Column('from', percent),
            Column('to', percent),
        ]
    )
    for config in dict.fromkeys(record['config'] for record in records):
        of_config = [record for record in records if record['config'] == config]
        accuracies = _column(of_config, 'accuracy/top1')
        means = [
            statistics.fmean(_column(of_config, key)) for key in ('sandglass_share', 'params', 'madds', 'accuracy/top1')
        ]
        table.add_row(config, len(of_config), *means, min(accuracies), max(accuracies))
    return table


def _column(records: Sequence[dict], key: str) -> list[float]:
    return [record[key] for record in records]
