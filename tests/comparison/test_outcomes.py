"""What is kept of an evaluation: small, whole, and no less than AP needs."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilenext_det.comparison.bootstrap import resample_images, resampled_ap
from mobilenext_det.comparison.outcomes import Outcomes
from mobilenext_det.evaluation import Detections, EvaluationSet, Objects, summarise
from mobilenext_det.evaluation.average_precision import IGNORED, TRUE_POSITIVE

BOX, FAR = [10.0, 10, 49, 49], [100.0, 100, 149, 149]


def test_a_set_made_by_hand():
    objects = Objects(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([BOX, FAR, BOX]), np.array([0, 1, 0], bool))
    found = Detections(
        np.array([0, 0, 1, 1, 1]),
        np.array([0, 1, 0, 0, 0]),
        np.array([BOX, FAR, FAR, BOX, BOX]),
        np.array([0.5, 0.9, 0.8, 0.7, 0.2]),
    )
    data = EvaluationSet(('cat', 'dog'), ['a', 'b'], ['', ''], objects, found)
    outcomes = Outcomes.of(data, summarise(data))
    # The dog found is difficult, and the cat found twice is below the last cat found.
    assert outcomes.image.tolist() == [1, 1, 0]
    assert outcomes.label.tolist() == [0, 0, 0]
    assert outcomes.hit.tolist() == [False, True, True]
    assert outcomes.objects.tolist() == [[1, 0], [1, 0]]
    assert outcomes.score == pytest.approx([0.8, 0.7, 0.5], abs=1e-5)
    assert Outcomes.of(data, summarise(data, difficult='count')).objects.tolist() == [[1, 1], [1, 0]]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from((None, 3)))
def test_what_is_left_out_changes_no_resample(random_set, seed, levels):
    data = random_set(seed, levels=levels)
    summary = summarise(data)
    outcome = summary.matches.outcome
    kept = Outcomes.of(data, summary)
    order = np.lexsort((-data.detections.scores, data.detections.label))
    order = order[outcome[order] != IGNORED]
    rows = data.detections
    everything = Outcomes(
        rows.image[order], rows.label[order], rows.scores[order], outcome[order] == TRUE_POSITIVE, kept.objects
    )
    assert kept.hit.sum() == everything.hit.sum()
    weights = resample_images(len(data.image_ids), 20, seed)
    for mode, values in resampled_ap(kept, weights).items():
        np.testing.assert_array_equal(values, resampled_ap(everything, weights)[mode])


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 90))
def test_json_brings_everything_back(random_set, seed, detections):
    data = random_set(seed, detections=detections)
    outcomes = Outcomes.of(data, summarise(data))
    again = Outcomes.from_dict(json.loads(json.dumps(outcomes.as_dict())))
    for before, after in zip(outcomes, again, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_run_of_500_images_is_small(random_set):
    data = random_set(0, images=500, classes=8, objects=2000, detections=50_000)
    packed = json.dumps(Outcomes.of(data, summarise(data)).as_dict())
    assert len(packed) < 200_000


def test_parts_that_do_not_fit_are_refused(random_set):
    data = random_set(0)
    packed = Outcomes.of(data, summarise(data)).as_dict()
    packed['detections'][0] += 1
    with pytest.raises(ValueError, match='do not fit together'):
        Outcomes.from_dict(packed)
