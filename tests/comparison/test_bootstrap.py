"""Resampled AP against the metric run on the resampled images, and intervals against a plain loop."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilenext_det.comparison.bootstrap import interval, mean_ap, resample_images, resample_seeds, resampled_ap
from mobilenext_det.comparison.modes import MODES
from mobilenext_det.comparison.outcomes import Outcomes
from mobilenext_det.evaluation import summarise

sizes = st.builds(
    dict,
    seed=st.integers(0, 2**32 - 1),
    images=st.integers(1, 8),
    classes=st.integers(1, 4),
    objects=st.integers(1, 20),
    detections=st.integers(0, 60),
    levels=st.sampled_from((None, 2, 5)),
)


def of_metric(data):
    summary = summarise(data)
    classes = {mode: np.array([getattr(row, f'AP_{mode}') for row in summary.classes]) for mode in MODES}
    return classes, {mode: getattr(summary, f'mAP_{mode}') for mode in MODES}


@settings(max_examples=40)
@given(sizes)
def test_all_images_once_give_what_the_metric_gives(random_set, sizes):
    data = random_set(**sizes)
    values = resampled_ap(Outcomes.of(data, summarise(data)), np.ones((len(data.image_ids), 1), int))
    classes, means = of_metric(data)
    np.testing.assert_array_equal(values['11points'][:, 0], classes['11points'])
    np.testing.assert_allclose(values['area'][:, 0], classes['area'], rtol=1e-14)  # another order of summation
    for mode in MODES:
        np.testing.assert_allclose(mean_ap(values[mode])[0], means[mode], rtol=1e-14)


@settings(max_examples=40)
@given(sizes, st.integers(0, 2**32 - 1))
def test_a_resample_gives_what_the_metric_gives_for_its_images(random_set, repeated, sizes, seed):
    data = random_set(**sizes)
    weights = resample_images(len(data.image_ids), 3, seed)
    values = resampled_ap(Outcomes.of(data, summarise(data)), weights)
    for column, weight in enumerate(weights.T):
        classes, means = of_metric(repeated(data, weight))
        for mode in MODES:
            np.testing.assert_allclose(values[mode][:, column], classes[mode], rtol=1e-12)
            np.testing.assert_allclose(mean_ap(values[mode])[column], means[mode], rtol=1e-12)


def test_many_detections_are_taken_in_parts(monkeypatch, random_set):
    data = random_set(0)
    outcomes, weights = Outcomes.of(data, summarise(data)), resample_images(12, 50)
    whole = resampled_ap(outcomes, weights)
    monkeypatch.setattr('mobilenext_det.comparison.bootstrap._CELLS', 100)
    for mode, values in resampled_ap(outcomes, weights).items():
        np.testing.assert_array_equal(values, whole[mode])


def test_resamples_are_as_large_as_the_set_and_repeat_with_the_seed():
    weights = resample_images(40, 500, seed=3)
    assert weights.shape == (40, 500)
    assert (weights.sum(0) == 40).all()
    np.testing.assert_allclose((weights == 0).mean(), (39 / 40) ** 40, atol=0.01)
    np.testing.assert_array_equal(weights, resample_images(40, 500, seed=3))
    assert (weights != resample_images(40, 500, seed=4)).any()


def test_the_interval_of_a_difference_is_that_of_a_plain_loop(random_set, repeated):
    """A loop that builds every resample image by image and evaluates it, over two runs of two models."""
    sets = [[random_set(seed, objects=40, detections=120) for seed in pair] for pair in ((1, 2), (3, 4))]
    for pair in sets:  # the same objects for all, as in a comparison
        pair[:] = [type(item)(*_with_objects(item, sets[0][0])) for item in pair]
    weights = resample_images(12, 60, seed=5)
    looped = []
    generators = [np.random.default_rng(index) for index in range(2)]
    picks = [generator.integers(2, size=(2, 60)) for generator in generators]
    for column, weight in enumerate(weights.T):
        scores = [[of_metric(repeated(data, weight))[1]['area'] for data in pair] for pair in sets]
        means = []
        for model in range(2):
            drawn = np.mean([scores[model][run] for run in picks[model][:, column]])
            means.append(np.mean(scores[model]) + math.sqrt(2) * (drawn - np.mean(scores[model])))
        looped.append(means[1] - means[0])
    series = []
    for index, pair in enumerate(sets):
        values = [mean_ap(resampled_ap(Outcomes.of(data, summarise(data)), weights)['area']) for data in pair]
        series.append(resample_seeds(np.stack(values), np.random.default_rng(index)))
    np.testing.assert_allclose(series[1] - series[0], looped, rtol=1e-11, atol=1e-13)
    expected = np.sort(looped)
    low, high = interval(series[1] - series[0], 0.9)
    assert low == pytest.approx(expected[2] + 0.95 * (expected[3] - expected[2]))
    assert high == pytest.approx(expected[56] + 0.05 * (expected[57] - expected[56]))


def _with_objects(item, other):
    return item.classes, item.image_ids, item.image_paths, other.objects, item.detections


@pytest.mark.parametrize('runs', [2, 3, 5])
def test_the_spread_over_seeds_is_that_of_a_mean_of_new_runs(runs):
    values = np.random.default_rng(runs).normal(size=(runs, 1, 1)).repeat(50_000, axis=2)
    drawn = resample_seeds(values, np.random.default_rng(0))
    assert drawn.shape == (1, 50_000)
    assert drawn.mean() == pytest.approx(values[:, 0, 0].mean(), abs=0.02)
    assert drawn.var() == pytest.approx(values[:, 0, 0].var(ddof=1) / runs, rel=0.05)


def test_one_run_is_taken_as_it_is():
    values = np.random.default_rng(0).random((1, 4, 9))
    np.testing.assert_array_equal(resample_seeds(values, np.random.default_rng(0)), values[0])


def test_undefined_replicates_are_left_out():
    assert interval(np.array([np.nan, *np.arange(101.0)])) == pytest.approx((2.5, 97.5))
    assert mean_ap(np.array([[1.0, np.nan], [np.nan, np.nan], [0.5, np.nan]])).tolist()[0] == 0.75
    assert math.isnan(mean_ap(np.full((2, 1), np.nan))[0])
