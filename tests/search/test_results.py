"""The table of an experiment, and that of the documentation."""

import json
from pathlib import Path

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.search.results import experiment_table

DOCS = Path(__file__).parents[2] / 'docs'


def test_seeds_are_averaged_and_their_ends_are_shown(tmp_path):
    (tmp_path / 'records').mkdir()
    for config, seed, accuracy, share in (('a.py', 0, 0.5, 0.0), ('a.py', 1, 0.6, 0.25), ('b.py', 0, 0.7, 0.5)):
        record = {
            'config': config,
            'sandglass_share': share,
            'params': 1000 + seed,
            'madds': 5,
            'accuracy/top1': accuracy,
        }
        (tmp_path / 'records' / f'{config}-{seed}.json').write_text(json.dumps(record))
    assert experiment_table(tmp_path).texts() == [
        ['a.py', '2', '12.50', '1,000', '5', '55.00', '50.00', '60.00'],
        ['b.py', '1', '50.00', '1,000', '5', '70.00', '70.00', '70.00'],
    ]


def test_no_result_is_said(tmp_path):
    with pytest.raises(UsageError, match=r'holds no result: tools/search_experiment\.py writes records/ there'):
        experiment_table(tmp_path)
    (tmp_path / 'records').mkdir()
    (tmp_path / 'records' / 'one.json').write_text('')
    with pytest.raises(UsageError, match=r'one\.json is damaged \(.*\): take it away'):
        experiment_table(tmp_path)


def test_the_documented_table_is_that_of_its_records():
    assert experiment_table(DOCS / 'search').markdown() in (DOCS / 'results.md').read_text()
