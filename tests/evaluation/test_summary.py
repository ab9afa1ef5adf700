"""The operating point of best F1 against a search over all thresholds, counts, and the form for JSON."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilenext_det.evaluation import EvaluationSet, ImageRecord, precision_recall, summarise
from mobilenext_det.evaluation.summary import best_f1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5]), st.integers(0, 2)), min_size=1, max_size=30),
    st.integers(0, 5),
)
def test_best_f1_equals_a_search(rows, more_objects):
    scores, outcome = (np.array(column) for column in zip(*rows, strict=True))
    objects = int((outcome == 1).sum()) + more_objects
    point = best_f1(precision_recall(scores, outcome, objects))
    if objects == 0 or (outcome == 2).all():
        assert point is None
        return
    candidates = []
    for threshold in sorted(set(scores[outcome != 2]), reverse=True):
        kept = scores >= threshold
        true, false = ((outcome == kind) & kept for kind in (1, 0))
        true, false = int(true.sum()), int(false.sum())
        f1 = 2 * true / (true + false + objects)
        candidates.append((f1, threshold, true, false))
    best = max(candidates, key=lambda item: (round(item[0], 12), item[1]))
    assert (point.score, point.true_positives, point.false_positives) == best[1:]
    assert point.f1 == pytest.approx(best[0], abs=1e-12)
    assert point.recall == pytest.approx(best[2] / objects, abs=1e-12)


def data():
    box, far = [[10.0, 10, 49, 49]], [[100.0, 100, 149, 149]]
    records = [
        ImageRecord('1', '', np.array(box), [0], [False], np.array(box + far), [0, 0], [0.9, 0.95]),
        ImageRecord('2', '', np.array(box + far), [1, 1], [False, True], np.array(far), [1], [0.5]),
    ]
    return EvaluationSet.from_records(records, ('cat', 'dog', 'emu'))


def test_json_has_every_number_and_no_nan():
    summary = summarise(data()).as_dict()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary['mAP_area'] == (0.5 + 0) / 2
    counts = ('images', 'ground_truths', 'difficult', 'detections', 'true_positives', 'false_positives', 'ignored')
    assert [summary[name] for name in counts] == [2, 2, 1, 3, 1, 1, 1]
    assert summary['per_class']['emu'] == {
        'objects': 0,
        'difficult': 0,
        'detections': 0,
        'true_positives': 0,
        'false_positives': 0,
        'ignored': 0,
        'AP_11points': None,
        'AP_area': None,
        'best_F1': None,
    }
    assert summary['per_class']['cat']['best_F1'] == {
        'score': 0.9,
        'precision': 0.5,
        'recall': 1.0,
        'f1': 2 / 3,
        'true_positives': 1,
        'false_positives': 1,
    }
    assert summary['policy'].startswith('difficult objects are neither to be found nor counted')


def test_a_class_without_objects_does_not_enter_the_mean():
    summary = summarise(data())
    assert math.isnan(summary.classes[2].AP_area)
    assert summary.mAP_11points == pytest.approx((0.5 + 0) / 2)


def test_threshold_of_overlap():
    moved = ImageRecord(
        '1', '', np.array([[0.0, 0, 99, 99]]), [0], [False], np.array([[0.0, 0, 99, 74]]), [0], [0.9]
    )  # the overlap is exactly 0.75
    values = [summarise(EvaluationSet.from_records([moved], ('a',)), threshold).mAP_area for threshold in (0.75, 0.76)]
    assert values == [1.0, 0.0]
