from pathlib import Path

import numpy as np
import pytest

from mobilenext_det.own_data.labels import LabelledImage, LabelledObject
from mobilenext_det.own_data.plan import VARIED, make_plan

CLASSES = ('big', 'small')


def images(deviation, count=200):
    """Squares about 200 and about 40 pixels wide in images of 400, whose sides' logarithms deviate by so much."""
    draw = np.random.default_rng(0)
    for index in range(count):
        objects = []
        for name, side in (('big', 200), ('small', 40)):
            side = min(400, side * np.exp(draw.normal(0, deviation)))
            objects.append(LabelledObject(name, (0.0, 0.0, side, side)))
        yield LabelledImage(Path(f'{index}.jpg'), (400, 400), objects)


@pytest.mark.parametrize(('share', 'crops'), [(0, False), (0.7, False), (1.3, True), (3, True)])
def test_objects_that_differ_in_size_within_their_class_get_cropped_views(share, crops):
    """Not those whose classes differ in size from one another."""
    assert make_plan(list(images(share * VARIED)), CLASSES).crops == crops
