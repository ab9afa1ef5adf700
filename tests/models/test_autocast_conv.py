"""The convolution that stays in float32 where bfloat16 is slow: which ones, and that nothing else changes."""

import pytest
import torch
from mmcv.cnn import build_conv_layer
from torch import nn

from mobilenext_det.models import AutocastConv2d, MobileNeXt

# Arguments, and whether the convolution leaves autocast.
LAYERS = {
    'strided depthwise': (dict(in_channels=8, out_channels=8, stride=2, groups=8), True),
    'depthwise': (dict(in_channels=8, out_channels=8, groups=8), False),
    'strided': (dict(in_channels=8, out_channels=16, stride=2), False),
}


def pair(arguments):
    """The layer and PyTorch's own, with the same weights."""
    layer = build_conv_layer(dict(type='AutocastConv2d'), kernel_size=3, padding=1, bias=True, **arguments)
    plain = nn.Conv2d(kernel_size=3, padding=1, **arguments)
    plain.load_state_dict(layer.state_dict())
    return layer, plain


@pytest.mark.parametrize('name', LAYERS)
def test_without_autocast_it_is_pytorchs(name):
    layer, plain = pair(LAYERS[name][0])
    assert isinstance(layer, AutocastConv2d)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        x = torch.randn(2, 8, 9, 9, dtype=dtype)
        torch.testing.assert_close(layer.to(dtype)(x), plain.to(dtype)(x), atol=0, rtol=0)


@pytest.mark.parametrize('name', LAYERS)
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_under_autocast(name, dtype):
    arguments, stays = LAYERS[name]
    layer, plain = pair(arguments)
    x = torch.randn(2, 8, 9, 9).to(dtype).requires_grad_()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        out, reference = layer(x), plain(x)
        assert torch.matmul(torch.ones(2, 2), torch.ones(2, 2)).dtype == torch.bfloat16  # it is on
    if stays:
        reference = plain(x.float())
        assert out.dtype == torch.float32
    assert out.dtype == reference.dtype
    torch.testing.assert_close(out, reference, atol=0, rtol=0)

    out.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32 and layer.weight.grad.abs().sum() > 0
    assert x.grad.dtype == dtype


def test_a_backbone_of_them_is_the_same_backbone():
    """Keys, starting weights (they are found as Conv2d) and outputs."""
    torch.manual_seed(0)
    backbone = MobileNeXt(0.35, conv_cfg=dict(type='AutocastConv2d'))
    assert {type(m) for m in backbone.modules() if isinstance(m, nn.Conv2d)} == {AutocastConv2d}
    for p in backbone.parameters():
        nn.init.constant_(p, 7)
    backbone.init_weights()
    plain = MobileNeXt(0.35).eval()
    plain.load_state_dict(backbone.state_dict())
    assert not any((m.weight == 7).any() for m in backbone.modules() if isinstance(m, nn.Conv2d))
    x = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(backbone.eval()(x), plain(x), atol=0, rtol=0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        feature = backbone(x)[-1]
    assert 0 < (feature.float() - plain(x)[-1]).abs().max() < 0.1 * plain(x)[-1].abs().max()
