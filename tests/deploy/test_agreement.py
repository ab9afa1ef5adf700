import numpy as np
import pytest

from mobilenext_det.deploy.agreement import FP32, INT8, agreement

PICTURE = np.zeros((10, 10, 3), np.uint8)


def one(name='dog', score=0.9, x1=1.0):
    return {'class': name, 'score': score, 'box': [x1, 1.0, 5.0, 6.0]}


def compare(wanted, found, tolerance=FP32):
    return agreement(lambda image, threshold: wanted, lambda image, threshold: found, [PICTURE], tolerance)


def test_equal_detections_agree_in_any_order():
    result = compare([one(), one('cat', 0.5)], [one('cat', 0.5004, 1.3), one()])
    assert result.equal
    assert (result.detections, result.matched, result.additional) == (2, 2, 0)
    assert result.box_difference == pytest.approx(0.3)
    assert result.score_difference == pytest.approx(4e-4)
    assert str(result).startswith('All 2 detections (score 0.05 or more, 1 pictures) equal those of PyTorch')


@pytest.mark.parametrize('other', [one('cat'), one(score=0.902), one(x1=1.6)])
def test_another_class_score_or_box_is_another_detection(other):
    result = compare([one()], [other])
    assert not result.equal
    assert (result.matched, result.additional) == (0, 1)
    assert str(result).startswith('0 of 1 detections')


def test_a_detection_matches_once():
    assert compare([one(), one()], [one()]).matched == 1
    assert compare([one()], [one(), one()]).additional == 1


def test_int8_may_differ_more_but_not_in_three_of_ten():
    assert compare([one()], [one(score=0.8, x1=5)], INT8).equal
    ten = [one(x1=20.0 * index) for index in range(10)]
    assert compare(ten, ten[2:], INT8).close
    assert not compare(ten, ten[3:], INT8).close
    assert not compare(ten[2:], [*ten, one('cat')], INT8).close
    assert not compare(ten, ten[1:]).close


def test_what_is_near_the_threshold_may_be_on_either_side_of_it():
    for wanted, found in ((0.0504, 0.0496), (0.0496, 0.0504)):
        result = compare([one(score=wanted)], [one(score=found)])
        assert (result.matched, result.additional) == (result.detections, 0)
    assert compare([one(score=0.0504)], [one(score=0.0492)]).matched == 0


def test_a_comparison_of_nothing_is_no_agreement():
    result = compare([], [])
    assert not result.close
    assert str(result) == (
        'Nothing was compared, as nothing is detected with a score of 0.05 or more in 1 pictures: '
        'let the test set of the config hold what the detector knows (--data-root).'
    )
    assert (result.box_difference, result.score_difference) == (0, 0)
    found = compare([], [one()])
    assert not found.close
    assert str(found).startswith('0 of 0 detections')
