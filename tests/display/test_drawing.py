import numpy as np
import pytest

from mobilenext_det.display.drawing import draw_detections, legible_zoom
from mobilenext_det.display.palette import class_colour

CLASSES = ('cat', 'dog')


def detection(name, score, *box):
    return {'class': name, 'score': score, 'box': list(box)}


def bgr(name):
    return class_colour(CLASSES.index(name))[::-1]


def test_the_box_is_outlined_in_its_colour_and_its_inside_left_alone():
    image = np.zeros((240, 320, 3), np.uint8)
    drawn = draw_detections(image, [detection('dog', 0.5, 100, 80, 200, 180)], CLASSES)
    assert image.max() == 0
    assert drawn.shape == image.shape
    for x, y in ((100, 130), (200, 130), (150, 80), (150, 180), (100, 80), (200, 180)):
        assert tuple(drawn[y, x]) == bgr('dog')
    assert drawn[83:178, 103:198].max() == 0
    assert drawn[182:].max() == drawn[:, 203:].max() == 0


def test_the_label_stands_above_the_box_and_has_letters():
    drawn = draw_detections(np.zeros((240, 320, 3), np.uint8), [detection('cat', 0.5, 100, 80, 200, 180)], CLASSES)
    label = drawn[66:79, 100:140].reshape(-1, 3)
    own = (label == bgr('cat')).all(1)
    assert 0.4 < own.mean() < 1


def test_names_have_letters_beyond_ascii():
    names = ('Käfer', 'Kåfer', 'Жук', 'Лук')
    black, box = np.zeros((240, 320, 3), np.uint8), (100, 80, 200, 180)
    drawn = [draw_detections(black, [detection(name, 0.5, *box)], [name]).tobytes() for name in names]
    assert len(set(drawn)) == len(names)


@pytest.mark.parametrize('box', [(0, 0, 30, 30), (300, 0, 320, 20), (-5, -5, 400, 300), (310, 230, 310, 230)])
def test_a_label_never_leaves_the_picture(box):
    drawn = draw_detections(np.zeros((240, 320, 3), np.uint8), [detection('cat', 1.0, *box)], CLASSES)
    inside = draw_detections(np.zeros((240, 320, 3), np.uint8), [detection('cat', 1.0, 100, 100, 130, 130)], CLASSES)
    letters = [((picture > 0).any(2) & (picture != bgr('cat')).any(2)).sum() for picture in (drawn, inside)]
    assert letters[0] == letters[1] > 0


def test_the_surest_detection_is_on_top():
    boxes = [detection('cat', 0.9, 50, 50, 150, 150), detection('dog', 0.4, 50, 50, 150, 150)]
    for order in (boxes, boxes[::-1]):
        drawn = draw_detections(np.zeros((240, 320, 3), np.uint8), order, CLASSES)
        assert tuple(drawn[100, 50]) == bgr('cat')


@pytest.mark.parametrize(('longest', 'zoom'), [(100, 7), (160, 4), (319, 3), (320, 1), (4000, 1)])
def test_small_pictures_are_enlarged_until_labels_fit(longest, zoom):
    assert legible_zoom(np.zeros((50, longest, 3), np.uint8)) == zoom
    assert legible_zoom(np.zeros((longest, 50, 3), np.uint8)) == zoom


def test_boxes_are_enlarged_with_their_picture():
    image = np.zeros((60, 80, 3), np.uint8)
    image[20:45, 25:50] = 90
    drawn = draw_detections(image, [detection('dog', 0.5, 25, 20, 50, 45)], CLASSES, zoom=4)
    assert drawn.shape == (240, 320, 3)
    assert tuple(drawn[130, 100]) == tuple(drawn[130, 200]) == tuple(drawn[80, 150]) == bgr('dog')
    assert np.abs(drawn[90:170, 110:190].astype(int) - 90).max() <= 1
