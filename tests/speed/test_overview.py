"""Every benchmark has its lines, with the numbers that it reports itself."""

import numpy as np
import pytest

from mobilenext_det.speed import pipeline, prediction, startup, training
from mobilenext_det.speed.commands import Settings, Subject
from mobilenext_det.speed.forms import Form, Timing
from mobilenext_det.speed.overview import overview
from mobilenext_det.speed.processes import Memory


def trained(seconds):
    return training.Measured([seconds], Memory(1000.0, 200.0))


def timing(milliseconds):
    seconds = np.array([milliseconds]) / 1000
    return Timing(seconds / 2, seconds, seconds, 300.0, 100.0)


@pytest.fixture
def found():
    groups = [
        {Subject('stock'): trained(12), Subject('mobilenetv2'): trained(3), Subject('mobilenext'): trained(4)},
        {Subject('stock'): trained(12)}
        | {Subject('mobilenetv2', 'fp32'): trained(6), Subject('mobilenext', 'fp32'): trained(8)},
    ]
    forms = (('pytorch', 'fp32'), ('onnx', 'fp32'), ('onnx', 'int8'))
    timings = {Form('stock', 'stock', 'fp32'): timing(40)}
    timings |= {Form('mobilenetv2', *form): timing(10) for form in forms}
    timings |= {Form('mobilenext', *form): timing(ms) for form, ms in zip(forms, (20, 10, 5), strict=True)}
    turns = {
        name: pipeline.Measured([[{'Resize': seconds}]], 1, 800) for name, seconds in (('stock', 1), ('ours', 0.5))
    }
    starts = {'stock': [startup.Start(6, 1, 2, 1, 900)], 'mobilenext': [startup.Start(4, 1, 2, 1, 800)]}
    imports = {'stock': {'torch': 3.0}, 'mobilenext': {'torch': 2.0}}
    return overview(
        training.report(groups, Settings(), 1, 'here'),
        prediction.report(timings, 1, 2, 'here'),
        pipeline.report(turns, [(500, 375)], 'data', 'here'),
        startup.report(starts, imports, Settings(), 'here'),
    )


def test_every_benchmark_has_its_lines(found):
    rows = {(row.benchmark, row.network, row.form, row.precision): row for row in found.rows}
    assert {key: row.ratio for key, row in rows.items()} == {
        ('training', 'mobilenetv2', None, 'default'): 4,
        ('training', 'mobilenext', None, 'default'): 3,
        ('training', 'mobilenetv2', None, 'fp32'): 2,
        ('training', 'mobilenext', None, 'fp32'): 1.5,
        ('prediction', 'mobilenext', 'pytorch', 'fp32'): 2,
        ('prediction', 'mobilenext', 'onnx', 'fp32'): 4,
        ('prediction', 'mobilenext', 'onnx', 'int8'): 8,
        ('pipeline', 'mobilenext', None, None): 2,
        ('startup', 'mobilenext', None, None): 1.25,
        ('latency', 'mobilenext', 'onnx', 'fp32'): 1,
        ('latency', 'mobilenext', 'onnx', 'int8'): 0.5,
    }
    assert [row.benchmark for row in found.rows[-2:]] == ['latency', 'latency']
    assert rows['training', 'mobilenext', None, 'default'].ours_mib == 1200
    assert rows['startup', 'mobilenext', None, None].stock_mib == 900


def test_the_headline_is_the_training_of_mobilenext(found):
    assert (found.ours, found.stock, found.ratio) == (6, 2, 3)
    lines = [line for line in found.text.splitlines() if line.startswith('|')]
    assert len(lines) == 2 + 11
    assert 'Machine: here.' in found.text
