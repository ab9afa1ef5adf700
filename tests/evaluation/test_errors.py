"""Every kind of error made once, with costs worked out by hand, and a count that never loses a detection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilenext_det.evaluation import EvaluationSet, ImageRecord, summarise
from mobilenext_det.evaluation.errors import KINDS, NO_ERROR, break_down

CLASSES = ('cat', 'dog')
BOX = np.array([0.0, 0, 99, 99])
TOUCHED = BOX + [70, 0, 70, 0]  # overlap 30 / 170 = 0.18
FAR = BOX + 300


def evaluate(objects, found, difficult=None):
    """Objects are (box, label), detections (box, label, score), all in one image."""
    boxes, labels = (list(column) for column in zip(*objects, strict=True))
    found_boxes, found_labels, scores = (list(column) for column in zip(*found, strict=True))
    flags = np.zeros(len(labels), bool) if difficult is None else np.array(difficult, bool)
    record = ImageRecord('1', '', np.array(boxes), labels, flags, np.array(found_boxes), found_labels, scores)
    data = EvaluationSet.from_records([record], CLASSES)
    summary = summarise(data)
    return break_down(data, summary), summary


def kinds(errors):
    return [KINDS[kind] if kind != NO_ERROR else '' for kind in errors.kind]


def test_each_kind():
    objects = [(BOX, 0), (FAR, 1), (BOX + 600, 0)]
    found = [
        (BOX, 0, 0.9),
        (BOX, 0, 0.8),
        (TOUCHED, 0, 0.7),
        (FAR, 0, 0.6),
        (FAR + [70, 0, 70, 0], 0, 0.5),
        (BOX + 1000, 1, 0.4),
    ]
    errors, _ = evaluate(objects, found)
    assert kinds(errors) == ['', 'duplicate', 'poor box', 'wrong class', 'both', 'background']
    assert errors.target.tolist() == [-1, 0, 0, 1, 1, -1]
    assert errors.missed.tolist() == [False, False, True]
    assert errors.counts == dict.fromkeys(KINDS, 1)


def test_cost_of_a_poor_box():
    """Repaired, the box is the second of two hits and the first in order: AP rises from 1/2 * 1/2 to 1."""
    errors, summary = evaluate([(BOX, 0), (FAR, 0)], [(FAR + [70, 0, 70, 0], 0, 0.9), (BOX, 0, 0.8)])
    assert summary.mAP_area == 0.25
    assert errors.cost['poor box'] == 0.75
    assert errors.counts['missed'] == 0 == errors.cost['missed']


def test_cost_of_a_wrong_class():
    """The detection becomes a hit of the other class, and its own class loses a false positive."""
    errors, summary = evaluate([(BOX, 0), (FAR, 1)], [(FAR, 0, 0.9), (BOX, 0, 0.8)])
    assert summary.mAP_area == (0.5 + 0) / 2
    assert errors.cost['wrong class'] == 1 - 0.25


def test_only_one_error_is_repaired_for_an_object():
    errors, _ = evaluate([(BOX, 0), (FAR, 0)], [(TOUCHED, 0, 0.9), (TOUCHED, 0, 0.8), (BOX, 0, 0.7)])
    assert kinds(errors) == ['poor box', 'poor box', '']
    # The object is found already, so both go: one hit of two objects, no false positive left.
    assert errors.cost['poor box'] == pytest.approx(0.5 - 0.5 / 3)


@pytest.mark.parametrize('kind', ['duplicate', 'background', 'both'])
def test_costs_of_what_is_taken_away(kind):
    wrong = {'duplicate': (BOX, 0), 'background': (BOX + 900, 0), 'both': (FAR + [70, 0, 70, 0], 0)}[kind]
    first = (BOX, 0, 0.95) if kind == 'duplicate' else (BOX, 0, 0.5)
    errors, summary = evaluate([(BOX, 0), (FAR, 1), (BOX + 600, 0)], [first, (*wrong, 0.9), (BOX + 600, 0, 0.4)])
    assert kinds(errors)[1] == kind
    assert summary.mAP_area + errors.cost[kind] == 0.5
    assert [name for name in KINDS if errors.cost[name] > 0 and name not in (kind, 'missed')] == []


def test_cost_of_missed_objects():
    errors, summary = evaluate([(BOX, 0), (FAR, 0), (FAR + 300, 0)], [(BOX, 0, 0.9)])
    assert summary.mAP_area == pytest.approx(1 / 3)
    assert errors.counts['missed'] == 2
    assert errors.cost['missed'] == pytest.approx(2 / 3)


def test_difficult_objects_are_not_missed_and_detections_on_them_are_no_errors():
    errors, _ = evaluate([(BOX, 0), (FAR, 0)], [(BOX, 0, 0.9), (BOX, 0, 0.8)], [True, False])
    assert kinds(errors) == ['', '']
    assert errors.missed.tolist() == [False, True]


def test_a_wrong_class_on_a_difficult_object_is_taken_away_by_repair():
    errors, summary = evaluate([(BOX, 1), (FAR, 0)], [(BOX, 0, 0.9), (FAR, 0, 0.8)], [True, False])
    assert kinds(errors) == ['wrong class', '']
    assert (summary.mAP_area, errors.cost['wrong class']) == (0.5, 0.5)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_false_positive_has_one_kind(seed):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 60, (20, 2))
    boxes = np.hstack([corner, corner + rng.uniform(5, 60, (20, 2))])
    labels = rng.integers(0, 2, 20)
    objects = list(zip(boxes[:6], labels[:6], strict=True))
    errors, summary = evaluate(
        objects, list(zip(boxes[6:], labels[6:], rng.random(14), strict=True)), rng.random(6) < 0.2
    )
    false = sum(result.false_positives for result in summary.classes)
    assert sum(count for kind, count in errors.counts.items() if kind != 'missed') == false
    assert ((errors.kind == NO_ERROR) == (summary.matches.outcome != 0)).all()
    unfound = sum(result.objects - result.true_positives for result in summary.classes)
    assert errors.counts['missed'] <= unfound
    for kind in ('duplicate', 'background', 'both', 'poor box'):
        assert not errors.cost[kind] < 0


def test_json_has_no_nan():
    errors, _ = evaluate([(BOX, 0)], [(BOX, 0, 0.9)], [True])
    assert errors.as_dict()['cost'] == dict.fromkeys(KINDS)
