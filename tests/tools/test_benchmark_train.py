"""The training benchmark as a person runs it: real commands of ours and of stock MMDetection."""

import json
import math

import pytest

TINY = ('--subjects', 'mobilenext', '--batch-size', 2, '--size', 160, '--workers', 1, '--rounds', 2, '--iterations', 1)


def test_both_take_turns(tools, toy_root, capsys):
    assert tools.main('benchmark/train.py', '--data-root', toy_root, *TINY, '--json') == 0
    *table, last = capsys.readouterr().out.splitlines()
    numbers = json.loads(last)
    assert list(numbers)[:3] == ['ours', 'stock', 'ratio']
    assert numbers['ratio'] == pytest.approx(numbers['ours'] / numbers['stock'])
    stock, ours = numbers['rows']
    assert [(row['network'], row['precision']) for row in (stock, ours)] == [
        ('stock', 'default'),
        ('mobilenext', 'default'),
    ]
    for row in (stock, ours):
        assert len(row['seconds']) == 2 and all(second > 0 for second in row['seconds'])
        assert row['peak_mib']['main'] > 300 and row['peak_mib']['others'] > 100  # it has PyTorch, and a loader worker
    assert stock['ratio'] == 1 and math.isfinite(ours['ratio'])
    assert len([line for line in table if line.startswith('|')]) == 2 + 2


def test_what_is_wrong_is_said(tools, tmp_path, capsys):
    assert tools.main('benchmark/train.py', '--data-root', tmp_path) == 2
    assert capsys.readouterr().err.startswith(f'There is no {tmp_path}/VOC2007/')
