"""Nothing is left over on either side."""

import pytest
import torch

from mobilenext_det.convert.accounting import convert
from mobilenext_det.convert.layouts import find_layout, make_target
from mobilenext_det.convert.reading import Source
from mobilenext_det.errors import UsageError


@pytest.fixture
def source(builds):
    return Source('weights.pth', '', dict(builds.authors(0.35).network.state_dict()), {})


def converted(source):
    return convert(source, make_target(source, find_layout(source, 'auto')))


def test_every_weight_arrives(source):
    weights = converted(source)
    assert len(weights) == len(source.weights)
    total = sum(value.double().sum() for value in source.weights.values())
    torch.testing.assert_close(sum(value.double().sum() for value in weights.values()), total)


def test_the_order_in_the_file_does_not_matter(source):
    expected = converted(source)
    source.weights = dict(sorted(source.weights.items(), reverse=True))
    weights = converted(source)
    assert all(torch.equal(weights[name], value) for name, value in expected.items())


def test_views_do_not_bring_their_storage_along(source):
    name = 'features.0.1.weight'
    source.weights[name] = torch.rand(10000)[: len(source.weights[name])]
    assert converted(source)['backbone.stem.bn.weight'].untyped_storage().nbytes() < 100


def test_counters_of_batches_may_be_missing(source):
    source.weights = {name: value for name, value in source.weights.items() if 'num_batches' not in name}
    assert len(converted(source)) == len(source.weights)


def test_an_unknown_weight(source):
    source.weights['features.20.conv.10.weight'] = source.weights['total_ops'] = torch.zeros(1)
    with pytest.raises(UsageError) as error:
        converted(source)
    assert str(error.value) == (
        'weights.pth does not hold MobileNeXt of width 0.35: 2 weights have no place in it, such as '
        'features.20.conv.10.weight.'
    )


def test_a_missing_weight(source):
    del source.weights['features.7.conv.1.running_var']
    with pytest.raises(UsageError) as error:
        converted(source)
    assert str(error.value) == (
        'weights.pth does not hold MobileNeXt of width 0.35: 1 weights of it are missing, such as '
        'features.7.conv.1.running_var.'
    )


def test_both(source):
    source.weights['features.7.conv.1.var'] = source.weights.pop('features.7.conv.1.running_var')
    with pytest.raises(UsageError, match=r'1 weights have no place .*conv.1.var; 1 weights of it are missing'):
        converted(source)


def test_another_shape(source):
    source.weights['classifier.1.bias'] = torch.zeros(8)
    with pytest.raises(UsageError) as error:
        converted(source)
    assert str(error.value) == (
        'classifier.1.bias in weights.pth has the shape (8,), but in MobileNeXt of width 0.35 (7,).'
    )
