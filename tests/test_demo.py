import json

import cv2

from mobilenext_det.demo import draw_photograph


def test_the_first_picture_of_the_demo_is_a_photograph_with_a_person(tmp_path):
    draw_photograph(str(tmp_path / 'photograph'))
    assert cv2.imread(str(tmp_path / 'photograph' / 'grace_hopper.jpg')) is not None
    found = json.loads((tmp_path / 'photograph' / 'grace_hopper.json').read_text())
    assert 'person' in [each['class'] for each in found['detections']]
