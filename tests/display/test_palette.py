import itertools

import numpy as np

from mobilenext_det.display.palette import PALETTE, class_colour, colour_of


def test_eighty_classes_have_colours_that_can_be_told_apart():
    colours = np.array([class_colour(index) for index in range(80)])
    distance = min(np.abs(left - right).max() for left, right in itertools.combinations(colours[:20], 2))
    assert distance >= 24
    assert len({tuple(colour) for colour in colours}) == 80


def test_what_is_compared_has_a_colour_however_much_it_is():
    assert len(set(PALETTE)) == len(PALETTE)
    assert [colour_of(index) for index in range(len(PALETTE) + 1)] == [*PALETTE, PALETTE[0]]
