"""Detectors are as large as their weights, and the background's scores change their place."""

import pytest
import torch

from mobilenext_det.convert.layouts import find_layout, make_target
from mobilenext_det.convert.reading import Source
from mobilenext_det.convert.targets import background_last
from mobilenext_det.errors import UsageError


@pytest.fixture
def held(builds):
    return Source('weights.pth', '', dict(builds.detector().network.state_dict()), {})


@pytest.mark.parametrize('scores', [None, torch.zeros(6, 128, 1, 1), torch.zeros(127, 128, 1, 1)])
def test_a_detector_without_scores(scores, held):
    held.weights.pop('box_head.predictor.cls_headers.5.weight')
    if scores is not None:
        held.weights['box_head.predictor.cls_headers.5.weight'] = scores
    with pytest.raises(UsageError, match=r'weights.pth has no box_head.*5.weight with the scores of 6 priors'):
        make_target(held, find_layout(held, 'auto'))


def test_the_background_moves_and_the_rest_keeps_its_order():
    scores = torch.tensor([0, 1, 2, 10, 11, 12])  # two priors, the background's score is a multiple of ten
    assert background_last(scores, priors=2).tolist() == [1, 2, 0, 11, 12, 10]
    weights = torch.arange(12.0).reshape(6, 2, 1, 1)
    assert torch.equal(background_last(weights, priors=2), weights[[1, 2, 0, 4, 5, 3]])


def test_only_what_puts_out_scores_is_changed(held):
    target = make_target(held, find_layout(held, 'auto'))
    predictors = {
        f'bbox_head.cls_convs.{level}.{1 if level < 5 else 0}.{leaf}'
        for level in range(6)
        for leaf in ('weight', 'bias')
    }
    assert target.changes.keys() == predictors
    assert all(len(target.model.state_dict()[name]) == 6 * 21 for name in predictors)
