"""The benchmark of the start as a person runs it: real commands, followed from outside."""

import json

import pytest

TINY = ('--batch-size', 2, '--size', 160, '--workers', 0, '--rounds', 1)


def test_phases_and_imports_of_both(tools, toy_root, capsys):
    assert tools.main('benchmark/startup.py', '--data-root', toy_root, *TINY, '--json') == 0
    numbers = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(numbers)[:3] == ['ours', 'stock', 'ratio']
    assert numbers['ratio'] == pytest.approx(numbers['stock'] / numbers['ours'])
    for name, whole in (('stock', numbers['stock']), ('mobilenext', numbers['ours'])):
        (start,) = numbers['starts'][name]
        assert start.pop('peak_mib') > 300
        assert list(start) == ['imports', 'model', 'data', 'iteration']
        assert all(seconds > 0 for seconds in start.values())
        assert sum(start.values()) == pytest.approx(whole)
        assert all(numbers['imports'][name][package] > 0 for package in ('torch', 'mmengine', 'mmcv', 'mmdet'))
    assert numbers['imports']['stock']['mobilenext_det'] == 0 < numbers['imports']['mobilenext']['mobilenext_det']


def test_what_is_wrong_is_said(tools, toy_root, capsys):
    assert tools.main('benchmark/startup.py', '--data-root', toy_root, '--workers', -1) == 2
    assert capsys.readouterr().err == '--workers -1 is too small: take 0 or more.\n'
