"""The deployment benchmark as a person runs it: real processes, an exported file, MMDetection's own detector."""

import contextlib
import io
import json
import math
import re

import pytest

from tests.fixtures.shipped import TOY_DETECTOR

KEYS = {'network_ms_p50', 'network_ms_p95', 'file_ms_p50', 'times_stock', 'peak_mib', 'imports_mib'}


@pytest.fixture(scope='module')
def measured(tools, toy_root, tmp_path_factory):
    """The folder of a table, and what was printed."""
    out = tmp_path_factory.mktemp('deploy')
    arguments = (f'{tools.config}={TOY_DETECTOR}', '--out', out, '--data-root', toy_root, '--forms', 'onnx')
    arguments += ('--precisions', 'fp32', '--images', 3, '--stock', '--json')
    arguments += ('--cfg-options', 'test_dataloader.num_workers=0')
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert tools.main('benchmark/deploy.py', *arguments) == 0
    return out, printed.getvalue()


def test_rows(measured):
    out, _ = measured
    stock, pytorch, onnx = rows = json.loads((out / 'deploy.json').read_text())['rows']
    toy = ('ssdlite_mobilenext_toy', 'b3e32c8c')
    assert [tuple(row[key] for key in ('network', 'weights', 'form', 'precision')) for row in rows] == [
        ('MMDetection ssdlite_mobilenetv2', 'random', 'stock', 'fp32'),
        (*toy, 'pytorch', 'fp32'),
        (*toy, 'onnx', 'fp32'),
    ]
    for row in rows:
        assert row['pictures'] == 3
        assert list(row['threads']) == ['1', '2']
        for numbers in row['threads'].values():
            assert set(numbers) == KEYS
            assert all(math.isfinite(value) and value > 0 for value in numbers.values())
    for threads in ('1', '2'):
        assert stock['threads'][threads]['times_stock'] == 1
        slow, fast = (row['threads'][threads]['file_ms_p50'] for row in (stock, onnx))
        assert onnx['threads'][threads]['times_stock'] == pytest.approx(slow / fast)
        # The process of ONNX Runtime has no PyTorch in it.
        assert onnx['threads'][threads]['peak_mib'] < pytorch['threads'][threads]['imports_mib']
    assert stock['mAP_area'] is stock['file_bytes'] is None
    assert onnx['mAP_area'] == pytest.approx(pytorch['mAP_area'], abs=0.02) and onnx['mAP_area'] > 0
    (exported,) = out.rglob('*.onnx')
    assert onnx['file_bytes'] == exported.stat().st_size
    assert onnx['machine']['cpu'] and re.match(r'\d+\.\d+', onnx['machine']['onnxruntime'])


def test_what_is_printed_is_what_is_written(measured):
    out, printed = measured
    before, _, last = printed.rstrip('\n').rpartition('\n')
    table = (out / 'deploy.md').read_text()
    assert f'{before}\n'.endswith(table)
    assert json.loads(last) == json.loads((out / 'deploy.json').read_text())
    heading, _, *rows = (line for line in table.splitlines() if line.startswith('|'))
    assert len(rows) == 3 and heading.count('|') == rows[0].count('|') == 14


def test_what_is_wrong_is_said(tools, tmp_path, capsys):
    assert tools.main('benchmark/deploy.py', tools.config, '--out', tmp_path) == 2
    assert capsys.readouterr().err == f'{tools.config} has no weights: write CONFIG=CHECKPOINT.\n'


def test_help_names_every_form(tools, capsys):
    from mobilenext_det.deploy.formats import FORMATS

    with pytest.raises(SystemExit):
        tools.main('benchmark/deploy.py', '--help')
    said = ' '.join(capsys.readouterr().out.split())
    assert all(name in said.partition('what to export to: ')[2].partition('(default: all)')[0] for name in FORMATS)
