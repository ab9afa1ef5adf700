"""The confusion matrix of a scene worked out by hand."""

import numpy as np

from mobilenext_det.evaluation import EvaluationSet, ImageRecord
from mobilenext_det.evaluation.confusion import confusion_matrix


def test_pairs_by_overlap_whatever_the_class():
    box = np.array([0.0, 0, 99, 99])
    objects = [box, box + 200, box + 400, box + 600, box + 800]
    labels, difficult = [0, 1, 1, 0, 1], [False, False, False, True, True]
    found = [
        (box + [10, 0, 10, 0], 0, 0.9),  # overlaps less than the next one, so that it is left without an object
        (box, 1, 0.8),
        (box + 200, 1, 0.7),
        (box + 400, 0, 0.1),  # below the score
        (box + 600, 1, 0.9),  # on a difficult object
        (box + 1000, 0, 0.9),
    ]
    boxes, found_labels, scores = (list(column) for column in zip(*found, strict=True))
    record = ImageRecord('1', '', np.array(objects), labels, difficult, np.array(boxes), found_labels, scores)
    data = EvaluationSet.from_records([record], ('cat', 'dog'))
    assert confusion_matrix(data, 0.5).tolist() == [
        [0, 1, 0],  # the cat was taken for a dog
        [0, 1, 1],  # a dog found, a dog missed
        [2, 0, 0],  # two cats where there is nothing left to find
    ]
    assert confusion_matrix(data, 0.05)[1].tolist() == [1, 1, 0]


def test_nothing_detected():
    record = ImageRecord('1', '', np.array([[0.0, 0, 9, 9]]), [1], [False], np.zeros((0, 4)), [], [])
    assert confusion_matrix(EvaluationSet.from_records([record], ('cat', 'dog')), 0.5)[1].tolist() == [0, 0, 1]
