"""The numbers of a report against what they mean."""

import json

import numpy as np
import pytest

from mobilenext_det.comparison.intervals import compare_runs
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
        config = numbers['configs'][name]
        for mAP in ('mAP_11points', 'mAP_area'):
            values = [run.metrics[mAP] for run in runs[name]]
            assert config[mAP]['mean'] == pytest.approx(np.mean(values))
            assert config[mAP]['sd'] == pytest.approx(np.std(values) * np.sqrt(3 / 2))
            low, high = config[mAP]['interval']
            assert low < config[mAP]['mean'] < high
        assert (config['runs'], config['train_seconds'], config['images_per_second']) == (3, 5.0, 9.0)
        assert [run['seed'] for run in config['each']] == [0, 1, 2]


def test_a_difference_is_found_where_there_is_one_and_covers_zero_where_there_is_none(numbers):
    assert numbers['configs']['good']['difference'] is None
    bad = numbers['configs']['bad']['difference']
    low, high = bad['mAP_area']['interval']
    assert low < bad['mAP_area']['mean'] < high < 0
    means = [numbers['configs'][name]['per_class']['a']['AP_11points'] for name in ('bad', 'good')]
    assert bad['per_class']['a']['AP_11points']['mean'] == pytest.approx(means[0] - means[1])
    same = numbers['configs']['same']['difference']['mAP_area']
    assert same['mean'] == 0
    assert same['interval'][0] < 0 < same['interval'][1]


def test_a_paired_difference_is_surer_than_two_means(run_of):
    """One run each: the images move both alike, so that identical detections differ by nothing at all."""
    run = run_of('good', 0, wrong=0.3)
    numbers = compare_runs({'one': [run], 'other': [run]})['configs']['other']
    assert numbers['difference']['mAP_area'] == {'mean': 0, 'interval': [0, 0]}
    assert numbers['mAP_area']['interval'][0] < numbers['mAP_area']['interval'][1]
    assert numbers['mAP_area']['sd'] is None


def test_numbers_repeat_are_json_and_stay_when_configs_are_added(runs, numbers):
    fewer = compare_runs({name: runs[name] for name in ('good', 'bad')})
    assert json.loads(json.dumps(fewer, allow_nan=False)) == fewer
    assert fewer['configs'] == {name: numbers['configs'][name] for name in ('good', 'bad')}


def test_what_cannot_be_compared_is_refused(run_of):
    runs = {name: [run_of(name, seed) for seed in range(2)] for name in ('one', 'two')}
    other = runs['two'][1]
    changed = other._replace(identity=other.identity | {'config': 'another'})
    with pytest.raises(UsageError, match='The runs of two with seeds 0 and 1 come from different settings'):
        compare_runs({**runs, 'two': [runs['two'][0], changed]})
    changed = other._replace(identity=other.identity | {'test_images': 'others'})
    with pytest.raises(UsageError, match='one and two were tested on different images or classes'):
        compare_runs({**runs, 'two': [changed]})
