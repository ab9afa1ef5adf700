"""Kinds are told by names, widths and classes by shapes."""

import pytest
import torch

from mobilenext_det.convert.layouts import find_layout, make_target
from mobilenext_det.convert.reading import Source
from mobilenext_det.errors import UsageError


def source(network):
    return Source('weights.pth', '', dict(network.state_dict()), {})


@pytest.mark.parametrize('kind', ['mobilenext-official', 'torchvision', 'mmpretrain'])
def test_kinds_of_classifiers(kind, builds):
    held = source(builds.classifiers[kind](0.35).network)
    assert find_layout(held, 'auto').kind == find_layout(held, kind).kind == kind
    target = make_target(held, find_layout(held, 'auto'))
    assert str(target) == f'{"MobileNeXt" if "next" in kind else "MobileNetV2"} of width 0.35'
    assert target.classes is None
    assert target.model.head.fc.weight.shape == (7, 1280)


@pytest.mark.parametrize('network', ['MobileNeXt', 'MobileNetV2'])
@pytest.mark.parametrize('classes', [1, 20])
def test_detectors(network, classes, builds):
    held = source(builds.detector(network, classes).network)
    layout = find_layout(held, 'auto')
    assert layout.kind == 'mobilenext-ssdlite-official'
    target = make_target(held, layout)
    assert (target.classes, target.width) == (classes, 1)
    assert str(target) == f'SSDLite on {network} of width 1, {classes} classes'


def test_a_backbone_without_a_classifier(builds):
    held = source(builds.authors(0.35).network)
    held.weights = {name: value for name, value in held.weights.items() if 'classifier' not in name}
    assert [name for name, _ in make_target(held, find_layout(held, 'auto')).model.named_children()] == ['backbone']


def test_another_kind_than_the_one_named(builds):
    with pytest.raises(UsageError) as error:
        find_layout(source(builds.torchvision(0.35).network), 'mmpretrain')
    assert str(error.value) == 'weights.pth is of the kind torchvision, not mmpretrain: leave --kind out.'


def test_an_unknown_kind():
    with pytest.raises(UsageError) as error:
        find_layout(Source('weights.pth', '', {'conv9._conv.weight': torch.zeros(1)}, {}), 'auto')
    assert str(error.value) == (
        'weights.pth is none of mobilenext-official, mobilenext-ssdlite-official, torchvision, mmpretrain, paddle, or '
        'not whole: its 1 weights have names such as conv9._conv.weight.'
    )


@pytest.mark.parametrize('shape', [(), (960,), (0, 1, 3, 3)])
def test_a_shape_of_no_width(shape, builds):
    held = source(builds.authors(0.35).network)
    held.weights['features.20.conv.0.weight'] = torch.zeros(shape)
    with pytest.raises(UsageError, match=r'features.20.conv.0.weight in weights.pth has the shape .* no width'):
        make_target(held, find_layout(held, 'auto'))
