import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector

from mobilenext_det.errors import UsageError
from mobilenext_det.hardware import keep_freed_memory
from mobilenext_det.inference.detector import Detector

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.fixture(scope='module')
def image():
    return np.random.default_rng(0).integers(0, 256, (120, 200, 3), np.uint8)


def test_results_are_those_of_mmdetection_cut_at_the_borders(detector, image, tmp_path):
    cv2.imwrite(str(tmp_path / 'image.png'), image)
    expected = inference_detector(detector.model, str(tmp_path / 'image.png')).pred_instances.numpy()
    found = detector(image, score_thr=0)
    assert len(found) == 9
    assert [each['class'] for each in found] == [detector.classes[label] for label in expected.labels]
    np.testing.assert_allclose([each['score'] for each in found], expected.scores, atol=5.1e-5)
    boxes = np.clip(expected.bboxes, 0, [200, 120, 200, 120])
    np.testing.assert_allclose([each['box'] for each in found], boxes, atol=0.051)
    assert (np.clip(expected.bboxes, 0, [200, 120, 200, 120]) != expected.bboxes).any()


def test_only_what_is_sure_enough_is_reported_surest_first(detector, image):
    found = detector(image, score_thr=0)
    scores = [each['score'] for each in found]
    assert scores == sorted(scores, reverse=True)
    gaps = -np.diff(scores)
    assert gaps.max() > 2e-4
    kept = int(gaps.argmax()) + 1
    assert detector(image, score_thr=(scores[kept - 1] + scores[kept]) / 2) == found[:kept]
    assert detector(image, score_thr=1.0) == []


def test_classes_without_names_in_the_checkpoint_are_the_configs(untrained, tmp_path):
    torch.save(torch.load(untrained, weights_only=True)['state_dict'], tmp_path / 'bare.pth')
    detector = Detector(str(CONFIGS / 'ssdlite_mobilenext_toy.py'), str(tmp_path / 'bare.pth'))
    assert detector.classes[:3] == ('aeroplane', 'bicycle', 'bird')
    assert len(detector.classes) == 20


def test_making_one_leaves_the_memory_of_the_process_as_it_is(untrained):
    looked_up = []
    sys.addaudithook(lambda event, details: looked_up.append(details[1]) if event == 'ctypes.dlsym' else None)
    Detector(CONFIGS / 'ssdlite_mobilenext_toy.py', untrained)
    assert 'mallopt' not in looked_up
    assert keep_freed_memory() is ('mallopt' in looked_up)


def test_a_checkpoint_of_another_network_is_refused(untrained):
    with pytest.raises(UsageError, match=r'untrained.pth does not fit .*w050_voc.py: \d+ parameters differ, such as'):
        Detector(str(CONFIGS / 'ssdlite_mobilenext_w050_voc.py'), str(untrained))
