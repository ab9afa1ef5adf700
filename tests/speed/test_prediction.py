"""Weights that put all to background, and what is said about measured seconds; the tool's test measures."""

import numpy as np
import pytest

from mobilenext_det._mim import config_path
from mobilenext_det.datasets.toy_scenes import draw_scene
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector
from mobilenext_det.speed.commands import CONFIGS
from mobilenext_det.speed.forms import Form, Timing
from mobilenext_det.speed.prediction import compare_prediction, report, untrained


@pytest.mark.parametrize('name', CONFIGS)
def test_random_weights_put_all_to_background(name, tmp_path):
    config = load_config(config_path(CONFIGS[name]))
    detector = Detector(config, untrained(config, tmp_path))
    assert detector(draw_scene(0, 'test', 0)[0], score_thr=0) == []
    assert detector.classes[0] == 'aeroplane'


def timing(milliseconds):
    seconds = np.array(milliseconds) / 1000
    return Timing(seconds / 2, seconds, seconds, 300.0, 100.0)


def test_seconds_become_milliseconds_beside_stock():
    forms = (('pytorch', 'fp32'), ('onnx', 'fp32'), ('onnx', 'int8'))
    timings = {Form('stock', 'stock', 'fp32'): timing([40, 50, 60])}
    timings |= {Form('mobilenetv2', *form): timing([10]) for form in forms}
    timings |= {Form('mobilenext', *form): timing([ms]) for form, ms in zip(forms, (25, 11, 5), strict=True)}
    found = report(timings, 3, 2, 'here')
    assert (found.ours, found.stock, found.ratio) == pytest.approx((25, 50, 2))
    assert found.deployed == pytest.approx({'fp32': 1.1, 'int8': 0.5})
    assert [row.ratio for row in found.rows] == pytest.approx([1, 5, 5, 5, 2, 50 / 11, 10])
    assert found.rows[0].quartiles == pytest.approx((45, 55)) and found.rows[0].network_ms == pytest.approx(25)
    assert (
        '1.100 times as long as MobileNetV2 (expansion), both deployed, in fp32, and 0.500 times in int8' in found.text
    )
    assert len([line for line in found.text.splitlines() if line.startswith('|')]) == 2 + 7


@pytest.mark.parametrize('option', ['images', 'threads'])
def test_nothing_to_measure_is_refused(option, toy_root):
    with pytest.raises(UsageError, match=f'^--{option} 0 is too small'):
        compare_prediction(toy_root, **{option: 0})
