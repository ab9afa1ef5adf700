"""Every layer of the networks has exactly one counterpart in the others' builds, whatever the width."""

import pytest
import torch

from mobilenext_det.convert import names
from mobilenext_det.models import MobileNeXt, TappedMobileNetV2


def layers(state):
    return {key.rpartition('.')[0] for key in state}


@pytest.mark.parametrize('width', [0.35, 1.0, 1.4])
@pytest.mark.parametrize(
    ('kind', 'make', 'name', 'theirs'),
    [
        ('mobilenext-official', MobileNeXt, names.mobilenext, 'features'),
        ('torchvision', TappedMobileNetV2, names.torchvision, 'features'),
        ('mmpretrain', TappedMobileNetV2, names.mmpretrain, 'backbone'),
    ],
)
def test_a_backbone(kind, make, name, theirs, width, builds):
    if kind == 'mmpretrain' and width > 1:
        width = 0.75  # the build for the tests has 1280 channels at the end
    with torch.device('meta'):
        backbone = make(widen_factor=width)
    found = name(backbone, 'backbone', theirs)
    ours = {layer: found[layer] for layer in layers(f'backbone.{key}' for key in backbone.state_dict())}
    source = layers(builds.classifiers[kind](width).network.state_dict())
    assert sorted(ours.values()) == sorted(layer for layer in source if layer.startswith(f'{theirs}.'))


def test_the_forms_of_the_block():
    """Full; stride 2 without the first depthwise convolution; stride 1 without any."""
    with torch.device('meta'):
        found = names.mobilenext(MobileNeXt(), 'net', 'features')
    assert found['net.stem.conv'] == 'features.0.0' and found['net.stem.bn'] == 'features.0.1'
    assert found['net.stages.0.0.depthwise_in.conv'] == 'features.1.conv.0'
    assert found['net.stages.0.0.depthwise_out.bn'] == 'features.1.conv.9'
    assert found['net.stages.2.0.reduce.conv'] == 'features.3.conv.0'
    assert found['net.stages.2.0.depthwise_out.conv'] == 'features.3.conv.5'
    assert found['net.stages.4.0.reduce.conv'] == 'features.9.conv.0'
    assert found['net.stages.4.0.expand.bn'] == 'features.9.conv.3'
    assert found['net.stages.7.0.expand.conv'] == 'features.20.conv.5'
