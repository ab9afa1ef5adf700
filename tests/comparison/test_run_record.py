"""Files of finished runs: they come back whole, and say when they are not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mobilenext_det.comparison.run_record import read_run, require_same, run_path, write_run
from mobilenext_det.errors import UsageError


def test_a_run_comes_back_as_it_was(run_of, tmp_path):
    run = run_of('small', 2, wrong=0.3)
    path = run_path(tmp_path, 'small', 2)
    assert path == tmp_path / 'runs' / 'small-seed2.json'
    write_run(path, run)
    again = read_run(path)
    assert replace(again, outcomes=None) == replace(run, outcomes=None)
    for before, after in zip(run.outcomes, again.outcomes, strict=True):
        np.testing.assert_array_equal(before, after)


def test_committed_runs_verify_and_are_written_as_they_are(tmp_path):
    for path in sorted(Path(__file__).parents[2].glob('docs/comparison/*/runs/*_mobilenext-seed0.json')):
        write_run(tmp_path / path.name, read_run(path))
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ('damage', 'reason'),
    [
        (lambda text: text[:-500], 'JSONDecodeError'),
        (lambda text: text.replace('"format": 1', '"format": 0'), 'another format'),
        (lambda text: text.replace('"seed"', '"sead"'), 'sead'),
        (lambda text: text.replace('"hit": "', '"hit": "AAAA'), 'error'),
        (lambda text: json.dumps(json.loads(text) | {'outcomes': {}}), 'KeyError'),
        (lambda text: text.replace('"mAP_area": 0.', '"mAP_area": 0.1'), 'do not give its AP, area'),
        (lambda text: '[]', 'TypeError'),
    ],
)
def test_a_damaged_file_is_named(run_of, tmp_path, damage, reason):
    path = run_path(tmp_path, 'small', 0)
    write_run(path, run_of('small', 0, wrong=0.3))
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    with pytest.raises(UsageError, match=f'{path.name} is not a whole run .*{reason}.*; delete it and compare again'):
        read_run(path)


def test_other_settings_are_named(run_of, tmp_path):
    run = run_of('small', 0)
    require_same(run, tmp_path, run.identity)
    with pytest.raises(UsageError, match='the config and the list of test images changed since; restore them, compare'):
        require_same(run, tmp_path, replace(run.identity, config='new', test_images='new'))
