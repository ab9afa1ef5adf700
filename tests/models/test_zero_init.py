"""Blocks that start as the identity: which, when, and that the others do not."""

import pytest
import torch
from mmdet.models.layers import InvertedResidual
from torch import nn

from mobilenext_det.models import MobileNeXt, SandglassBlock, TappedMobileNetV2

BACKBONES = {
    'MobileNeXt': (MobileNeXt, {}, 'depthwise_out', 12),
    'narrow': (MobileNeXt, dict(block_cfg=dict(type='NarrowDepthwiseSandglassBlock')), 'expand', 12),
    'MobileNetV2': (TappedMobileNetV2, {}, 'linear_conv', 10),
    'extra_depthwise': (TappedMobileNetV2, dict(block='extra_depthwise'), 'linear_conv', 10),
    'sandglass': (TappedMobileNetV2, dict(block='sandglass'), 'depthwise_out', 10),
}


def build(name, **arguments):
    make, options, last, shortcuts = BACKBONES[name]
    torch.manual_seed(0)
    return make(widen_factor=0.35, **options, **arguments), last, shortcuts


def has_shortcut(block):
    return block.with_res_shortcut if isinstance(block, InvertedResidual) else block.identity_channels > 0


@pytest.mark.parametrize('name', BACKBONES)
def test_blocks_with_a_shortcut_start_as_the_identity(name):
    net, last, shortcuts = build(name, zero_init_residual=True)
    net.init_weights()
    net.eval()
    blocks = [m for m in net.modules() if isinstance(m, (SandglassBlock, InvertedResidual))]
    residual = [block for block in blocks if has_shortcut(block)]
    assert len(residual) == shortcuts and len(blocks) == (20 if isinstance(net, MobileNeXt) else 17)
    for block in residual:
        x = torch.rand(1, getattr(block, last).out_channels, 4, 4)
        torch.testing.assert_close(block(x), x, atol=0, rtol=0)
    zero = {id(getattr(block, last).norm) for block in residual}
    for norm in (m for m in net.modules() if isinstance(m, nn.BatchNorm2d)):
        assert (norm.weight == (0 if id(norm) in zero else 1)).all()


@pytest.mark.parametrize('name', BACKBONES)
def test_they_leave_the_identity_again(name):
    """The gradient of a zero scale is not zero."""
    net, last, _ = build(name, zero_init_residual=True)
    net.init_weights()
    sum(f.square().mean() for f in net.train()(torch.rand(2, 3, 64, 64))).backward()
    blocks = [m for m in net.modules() if isinstance(m, (SandglassBlock, InvertedResidual)) and has_shortcut(m)]
    assert all(getattr(block, last).norm.weight.grad.abs().sum() > 0 for block in blocks)


@pytest.mark.parametrize('name', BACKBONES)
def test_it_is_off_unless_asked_for(name):
    net, _, _ = build(name)
    net.init_weights()
    assert all((m.weight == 1).all() for m in net.modules() if isinstance(m, nn.BatchNorm2d))


@pytest.mark.parametrize('name', ['MobileNeXt', 'MobileNetV2'])
def test_pretrained_scales_stay(name, tmp_path):
    trained, last, _ = build(name)
    torch.save({'state_dict': trained.state_dict()}, tmp_path / 'trained.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'trained.pth'))
    net, _, _ = build(name, zero_init_residual=True, init_cfg=init_cfg)
    net.init_weights()
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), trained.state_dict().values(), strict=True))
    assert all((m.weight == 1).all() for m in net.modules() if isinstance(m, nn.BatchNorm2d))
