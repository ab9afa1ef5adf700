"""Reports made of files alone."""

import json

import pytest

from mobilenext_det.comparison.compare import compare
from mobilenext_det.comparison.run_record import run_path, write_run
from mobilenext_det.errors import UsageError


def store(out, *runs):
    for run in runs:
        write_run(run_path(out, run.config, run.seed), run)


def test_a_report_needs_nothing_but_the_runs(tmp_path, run_of, capsys):
    store(tmp_path, *(run_of(name, seed) for name in ('one', 'two', 'three') for seed in range(2)))
    comparison = compare([], str(tmp_path), report_only=True)
    assert list(comparison.configs) == ['one', 'three', 'two']
    assert comparison.as_dict() == json.loads((tmp_path / 'comparison.json').read_text())
    chosen = compare(['configs/two.py', 'one'], str(tmp_path), report_only=True)
    assert (list(chosen.configs), chosen.first) == (['two', 'one'], 'two')
    assert f'The report is {tmp_path / "comparison.html"}.' in capsys.readouterr().out
    with pytest.raises(UsageError, match='holds no finished run of four'):
        compare(['one', 'four'], str(tmp_path), report_only=True)
    with pytest.raises(UsageError, match='two configs or more, but got none'):
        compare([], str(tmp_path / 'empty'), report_only=True)


def test_latencies_of_another_format_are_named(tmp_path, run_of):
    store(tmp_path, *(run_of(name, 0) for name in ('one', 'two')))
    (tmp_path / 'latency.json').write_text('{"milliseconds": {"eager PyTorch": {"one": 1.5}}}')
    with pytest.raises(UsageError, match='latency.json holds no latencies of this version: delete it'):
        compare([], str(tmp_path), report_only=True)
