"""The prediction benchmark as a person runs it: stock MMDetection, ours in PyTorch, exported files."""

import json

import pytest


def test_every_form_of_both_networks(tools, toy_root, capsys):
    assert tools.main('benchmark/predict.py', '--data-root', toy_root, '--images', 2, '--threads', 1, '--json') == 0
    *table, last = capsys.readouterr().out.splitlines()
    numbers = json.loads(last)
    assert list(numbers)[:3] == ['ours', 'stock', 'ratio']
    assert numbers['ratio'] == pytest.approx(numbers['stock'] / numbers['ours'])
    stock, *ours = numbers['rows']
    assert (stock['network'], stock['ratio']) == ('stock', 1)
    forms = [('pytorch', 'fp32'), ('onnx', 'fp32'), ('onnx', 'int8')]
    assert [(row['network'], row['form'], row['precision']) for row in ours] == [
        (network, *form) for network in ('mobilenetv2', 'mobilenext') for form in forms
    ]
    for row in ours:
        assert row['ratio'] == pytest.approx(stock['ms'] / row['ms'])
        assert row['network_ms'] > 0 and row['peak_mib'] > 50
    assert set(numbers['deployed']) == {'fp32', 'int8'}
    assert len([line for line in table if line.startswith('|')]) == 2 + 7
    assert '2 pictures, 1 threads' in '\n'.join(table)


def test_what_is_wrong_is_said(tools, toy_root, capsys):
    assert tools.main('benchmark/predict.py', '--data-root', toy_root, '--images', 0) == 2
    assert capsys.readouterr().err == '--images 0 is too small: take 1 or more.\n'
