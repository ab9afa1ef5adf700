"""Every target has a line, with the numbers that the benchmarks themselves report."""

import numpy as np
import pytest

from mobilenext_det.speed import pipeline, prediction, startup, training
from mobilenext_det.speed.commands import Settings
from mobilenext_det.speed.overview import overview
from mobilenext_det.speed.process_group import Memory
from mobilenext_det.speed.rounds import Timing


def trained(seconds):
    return training.Measured([seconds], Memory(1000.0, 200.0))


def timing(milliseconds):
    seconds = np.array([milliseconds]) / 1000
    return Timing(seconds / 2, seconds, 300.0, 100.0)


@pytest.fixture
def found():
    groups = [
        {'stock': trained(12), 'mobilenetv2': trained(3), 'mobilenext': trained(4)},
        {'stock': trained(12), 'mobilenetv2-fp32': trained(6), 'mobilenext-fp32': trained(8)},
    ]
    forms = (('pytorch', 'fp32'), ('onnx', 'fp32'), ('onnx', 'int8'))
    timings = {('stock', 'stock', 'fp32'): timing(40)}
    timings |= {('mobilenetv2', *form): timing(10) for form in forms}
    timings |= {('mobilenext', *form): timing(ms) for form, ms in zip(forms, (20, 10, 5), strict=True)}
    turns = {name: [pipeline.Turn(10, {'Resize': seconds}, 800)] for name, seconds in (('stock', 1), ('ours', 0.5))}
    starts = {'stock': [startup.Start(6, 1, 2, 1, 900)], 'mobilenext': [startup.Start(4, 1, 2, 1, 800)]}
    imports = {'stock': {'torch': 3.0}, 'mobilenext': {'torch': 2.0}}
    return overview(
        training.report(groups, Settings(), 1, 'here'),
        prediction.report(timings, 1, 2, 'here'),
        pipeline.report(turns, {'stock': 1, 'ours': 1}, [(500, 375)], 'data', 'here'),
        startup.report(starts, imports, Settings(), 'here'),
    )


def test_every_target_has_a_line(found):
    rows = {row['what']: row for row in found.numbers['rows']}
    assert {what: (row['target'], row['ratio']) for what, row in rows.items()} == {
        'training, MobileNetV2 (expansion), default': ('>= 3.0', 4),
        'training, MobileNeXt, default': ('>= 2.5', 3),
        'training, MobileNetV2 (expansion), fp32': ('>= 1.4', 2),
        'training, MobileNeXt, fp32': ('>= 1.4', 1.5),
        'prediction, MobileNeXt, pytorch, fp32': ('>= 1.7', 2),
        'prediction, MobileNeXt, onnx, fp32': ('>= 3.5', 4),
        'prediction, MobileNeXt, onnx, int8': ('>= 5.0', 8),
        'input pipeline, one core': ('>= 2.0', 2),
        'start, command to first iteration': ('>= 1.0', 1.25),
        'latency, MobileNeXt, onnx, fp32': ('<= 1.05', 1),
        'latency, MobileNeXt, onnx, int8': ('<= 1.05', 0.5),
    }
    assert list(rows)[-2:] == ['latency, MobileNeXt, onnx, fp32', 'latency, MobileNeXt, onnx, int8']
    assert rows['training, MobileNeXt, default']['ours_mib'] == 1200
    assert rows['start, command to first iteration']['stock_mib'] == 900


def test_the_headline_is_the_training_of_mobilenext(found):
    assert [found.numbers[key] for key in ('ours', 'stock', 'ratio')] == [6, 2, 3]
    lines = [line for line in found.text.splitlines() if line.startswith('|')]
    assert len(lines) == 2 + 11
    assert 'Machine: here.' in found.text
