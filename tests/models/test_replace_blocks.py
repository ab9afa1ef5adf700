"""Sandglass blocks in other networks: which blocks go, what comes in, and what is refused."""

import doctest
import sys

import pytest
import torch
from mmdet.models.layers import InvertedResidual
from torch import nn
from torchvision.models import mobilenet_v2

from mobilenext_det.models import AutocastConv2d, SandglassBlock, TappedMobileNetV2, replace_blocks

# Of MobileNetV2's 17 blocks: input and output channels, stride.
BLOCKS = [
    (32, 16, 1),
    *[(16, 24, 2), (24, 24, 1)],
    *[(24, 32, 2), (32, 32, 1), (32, 32, 1)],
    *[(32, 64, 2), (64, 64, 1), (64, 64, 1), (64, 64, 1)],
    *[(64, 96, 1), (96, 96, 1), (96, 96, 1)],
    *[(96, 160, 2), (160, 160, 1), (160, 160, 1)],
    (160, 320, 1),
]


def params(cin, cout, stride, ratio=6):
    """Parameters of a block from its widths: each convolution with two more for each output's normalisation."""
    hidden = cin // ratio
    if hidden < cout / 6:
        hidden = max(16, int(-(-cout // 6) + 8) // 16 * 16)
        hidden += 16 if hidden < 0.9 * -(-cout // 6) else 0
    full = cin == cout
    depthwise = (cin * 11 if full else 0) + (cout * 11 if full or stride == 2 else 0)
    return depthwise + cin * hidden + 2 * hidden + hidden * cout + 2 * cout


def sandglasses(model):
    return [module for module in model.modules() if isinstance(module, SandglassBlock)]


@pytest.mark.parametrize('build', [mobilenet_v2, lambda: TappedMobileNetV2(norm_cfg=dict(type='BN'))])
def test_every_block_of_mobilenetv2(build, tools):
    with torch.device('meta'):
        model = build().eval()
        assert replace_blocks(model) == 17
    blocks = sandglasses(model)
    assert len(blocks) == 17
    for block, (cin, cout, stride) in zip(blocks, BLOCKS, strict=True):
        assert tuple(block(torch.empty(1, cin, 8, 8, device='meta')).shape) == (1, cout, 8 // stride, 8 // stride)
        assert tools.count_params(block) == params(cin, cout, stride), (cin, cout, stride)
        assert block.identity_channels == (cout if cin == cout and stride == 1 else 0)
    assert not any(type(module).__name__ == 'InvertedResidual' for module in model.modules())
    # What is no block, the stem and the last convolution, stays.
    assert (
        tools.count_params(model) - sum(map(tools.count_params, blocks))
        == {
            'MobileNetV2': 32 * 29 + 1280 * 322 + 1281 * 1000,
            'TappedMobileNetV2': 32 * 29 + 1280 * 322,
        }[type(model).__name__]
    )


def test_forward_and_backward_in_torchvisions_network():
    torch.manual_seed(0)
    model = mobilenet_v2(num_classes=7, width_mult=0.35)
    replace_blocks(model)
    out = model.train()(torch.rand(2, 3, 64, 64))
    assert out.shape == (2, 7)
    out.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters() if p.ndim == 4)


def test_stride_2_at_equal_widths_keeps_the_full_form_and_has_no_shortcut():
    model = nn.Sequential(InvertedResidual(24, 24, 144, stride=2))
    replace_blocks(model)
    (block,) = sandglasses(model)
    depthwise = [m for m in block.modules() if isinstance(m, nn.Conv2d) and m.groups == 24]
    assert [conv.stride for conv in depthwise] == [(1, 1), (2, 2)]
    assert block.identity_channels == 0
    assert model(torch.rand(1, 24, 8, 8)).shape == (1, 24, 4, 4)


def test_a_new_block_takes_over_the_old_ones_layers_device_type_and_mode():
    old = InvertedResidual(
        24,
        24,
        144,
        conv_cfg=dict(type='AutocastConv2d'),
        norm_cfg=dict(type='GN', num_groups=2),
        act_cfg=dict(type='HSwish'),
        with_cp=True,
    )
    model = nn.Sequential(nn.Sequential(old).double().eval())
    replace_blocks(model, reduction_ratio=3, identity_multiplier=1 / 2)
    (block,) = sandglasses(model)
    assert {type(m) for m in block.modules() if isinstance(m, nn.Conv2d)} == {AutocastConv2d}
    assert {type(m) for m in block.modules()} >= {nn.GroupNorm, nn.Hardswish}
    assert not any(isinstance(m, (nn.BatchNorm2d, nn.ReLU6)) for m in block.modules())
    assert block.reduce.out_channels == 8 and block.identity_channels == 12
    assert block.with_cp and not block.training and {p.dtype for p in block.parameters()} == {torch.float64}


@pytest.mark.parametrize('model', [nn.Sequential(nn.Conv2d(3, 8, 3)), InvertedResidual(8, 8, 48)])
def test_nothing_to_replace(model):
    with pytest.raises(ValueError) as error:
        replace_blocks(model)
    assert str(error.value) == (
        f"{type(model).__name__} has no inverted residuals to replace: it needs blocks of mmdet's or torchvision's "
        'MobileNetV2 below it.'
    )


@pytest.mark.parametrize(
    'extra', [dict(se_cfg=dict(channels=48, ratio=4)), dict(kernel_size=5), dict(drop_path_rate=0.1)]
)
def test_what_would_be_lost_is_refused_and_nothing_is_touched(extra):
    model = nn.Sequential(InvertedResidual(8, 8, 48), InvertedResidual(8, 8, 48, **extra))
    with pytest.raises(ValueError, match='^A block of 8 to 8 channels has squeeze-and-excitation, a kernel other than'):
        replace_blocks(model)
    assert not sandglasses(model)


def test_the_example():
    results = doctest.testmod(sys.modules[replace_blocks.__module__])
    assert (results.attempted, results.failed) == (2, 0)
