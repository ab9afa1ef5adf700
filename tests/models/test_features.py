"""What comes out of backbones, ours and mmdet's, is told right and without a trace."""

import pytest
import torch
from mmdet.registry import MODELS
from torch import nn

from mobilenext_det.models import Feature, TappedMobileNetV2, backbone_features

# mmdet's backbones say nothing about their features.
MMDETS = [
    dict(type='ResNet', depth=18, out_indices=(2, 3)),
    dict(type='MobileNetV2', widen_factor=0.35, out_indices=(4, 7)),
    dict(type='CSPDarknet', deepen_factor=0.33, widen_factor=0.25),
    dict(type='RegNet', arch='regnetx_400mf', out_indices=(2, 3)),
    dict(type='PyramidVisionTransformerV2', embed_dims=8, num_layers=(1, 1, 1, 1)),
    dict(type='SwinTransformer', embed_dims=24, depths=(1, 1, 1, 1), num_heads=(1, 1, 1, 1)),
]


class Counted(nn.Module):
    """Says what it gives, and counts what it is given."""

    feature_info = [dict(channels=7, stride=16, stage=4), dict(channels=9, stride=32, stage=5)]
    calls = 0

    def forward(self, x):
        self.calls += 1


def test_a_backbone_that_says_it_is_believed():
    backbone = Counted()
    assert backbone_features(backbone) == (Feature(channels=7, stride=16), Feature(channels=9, stride=32))
    assert backbone.calls == 0


@pytest.mark.parametrize('config', MMDETS, ids=lambda config: config['type'])
def test_a_backbone_that_does_not_is_looked_at(config):
    backbone = MODELS.build(config)
    features = backbone_features(backbone)
    backbone.eval()
    with torch.no_grad():
        outputs = backbone(torch.rand(1, 3, 128, 128))
    assert [(f.channels, 128 // f.stride) for f in features] == [(o.shape[1], o.shape[3]) for o in outputs]


def test_ours_look_as_they_say():
    backbone = TappedMobileNetV2(widen_factor=0.35)
    said = backbone_features(backbone)
    del backbone.feature_info
    assert backbone_features(backbone) == said


def test_looking_leaves_no_trace():
    backbone = MODELS.build(dict(type='ResNet', depth=18, frozen_stages=1, out_indices=(2, 3)))
    backbone.layer4[0].eval()
    weights = {name: value.clone() for name, value in backbone.state_dict().items()}
    modes = [module.training for module in backbone.modules()]
    trained = [p.requires_grad for p in backbone.parameters()]
    random = torch.get_rng_state()
    backbone_features(backbone)
    assert all(torch.equal(value, weights[name]) for name, value in backbone.state_dict().items())
    assert modes == [module.training for module in backbone.modules()] and len(set(modes)) == 2
    assert trained == [p.requires_grad for p in backbone.parameters()]
    assert torch.equal(random, torch.get_rng_state())
    assert all(p.grad is None for p in backbone.parameters())


def test_on_the_meta_device_nothing_is_computed():
    with torch.device('meta'):
        backbone = MODELS.build(dict(type='ResNet', depth=50, out_indices=(2, 3)))
    assert backbone_features(backbone) == (Feature(1024, 16), Feature(2048, 32))
