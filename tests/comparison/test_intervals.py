"""The numbers of a report against what they mean."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mobilenext_det.comparison.intervals import compare_runs
from mobilenext_det.comparison.modes import MODES
from mobilenext_det.comparison.results import Estimate
from mobilenext_det.errors import UsageError


@pytest.fixture(scope='module')
def runs(run_of):
    good = [run_of('good', seed, wrong=0.1) for seed in range(3)]
    return {'good': good, 'bad': [run_of('bad', seed, wrong=0.9) for seed in range(3)], 'same': good}


@pytest.fixture(scope='module')
def numbers(runs):
    return compare_runs(runs)


def test_means_and_spreads_are_those_of_the_runs(runs, numbers):
    for name in ('good', 'bad'):
        config = numbers.configs[name]
        for mode in MODES:
            values = [run.metrics.mAP[mode] for run in runs[name]]
            assert config.mAP[mode].mean == pytest.approx(np.mean(values))
            assert config.mAP[mode].sd == pytest.approx(np.std(values) * np.sqrt(3 / 2))
            low, high = config.mAP[mode].interval
            assert low < config.mAP[mode].mean < high
        assert (len(config.runs), config.train_seconds, config.images_per_second) == (3, 5.0, 9.0)
        assert [run.seed for run in config.runs] == [0, 1, 2]


def test_a_difference_is_found_where_there_is_one_and_covers_zero_where_there_is_none(numbers):
    assert numbers.configs['good'].difference is None
    bad = numbers.configs['bad'].difference
    low, high = bad.mAP['area'].interval
    assert low < bad.mAP['area'].mean < high < 0
    means = [numbers.configs[name].per_class['a']['11points'] for name in ('bad', 'good')]
    assert bad.per_class['a']['11points'].mean == pytest.approx(means[0] - means[1])
    same = numbers.configs['same'].difference.mAP['area']
    assert same.mean == 0
    assert same.interval[0] < 0 < same.interval[1]


def test_a_paired_difference_is_surer_than_two_means(run_of):
    """One run each: the images move both alike, so that identical detections differ by nothing at all."""
    run = run_of('good', 0, wrong=0.3)
    other = compare_runs({'one': [run], 'other': [run]}).configs['other']
    assert other.difference.mAP['area'] == Estimate(0, (0, 0))
    assert other.mAP['area'].interval[0] < other.mAP['area'].interval[1]
    assert other.mAP['area'].sd is None


def test_numbers_repeat_are_json_and_stay_when_configs_are_added(runs, numbers):
    fewer = compare_runs({name: runs[name] for name in ('good', 'bad')}).as_dict()
    more = numbers.as_dict()
    assert json.loads(json.dumps(fewer, allow_nan=False)) == fewer
    assert fewer['configs'] == {name: more['configs'][name] for name in ('good', 'bad')}


def test_json_has_a_name_for_every_number(numbers):
    record = numbers.as_dict()
    assert [*record] == ['first', 'images', 'classes', 'objects', 'resamples', 'level', 'configs', 'latency']
    bad, good = record['configs']['bad'], numbers.configs['good']
    aps = ['mAP_11points', 'mAP_area']
    times = ['train_seconds', 'images_per_second']
    assert [*bad] == ['runs', *aps, 'per_class', 'model', *times, 'each', 'difference']
    assert [*bad['difference']] == ['per_class', *aps]
    assert [*bad['each'][0]] == ['seed', *aps, 'training', 'environment', 'checkpoint']
    mean = good.mAP['area']
    assert record['configs']['good']['mAP_area'] == dict(mean=mean.mean, sd=mean.sd, interval=[*mean.interval])
    assert record['configs']['good']['per_class']['a']['AP_area'] == good.per_class['a']['area']
    of_class = numbers.configs['bad'].difference.per_class['a']['11points']
    assert bad['difference']['per_class']['a']['AP_11points'] == dict(mean=of_class.mean, interval=[*of_class.interval])
    assert bad['model'] == good.cost.as_dict()


def test_what_cannot_be_compared_is_refused(run_of):
    runs = {name: [run_of(name, seed) for seed in range(2)] for name in ('one', 'two')}
    other = runs['two'][1]
    changed = replace(other, identity=replace(other.identity, config='another'))
    with pytest.raises(UsageError, match='The runs of two with seeds 0 and 1 come from different settings'):
        compare_runs({**runs, 'two': [runs['two'][0], changed]})
    changed = replace(other, identity=replace(other.identity, test_images='others'))
    with pytest.raises(UsageError, match='one and two were tested on different images or classes'):
        compare_runs({**runs, 'two': [changed]})
