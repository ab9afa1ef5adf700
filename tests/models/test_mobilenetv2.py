"""The baseline: the published counts, and torchvision's MobileNetV2 at both taps."""

import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2

from mobilenext_det.models import TappedMobileNetV2

# Width: backbone parameters and multiply-adds at 224, both with fc(1000), channels of the last layer.
COUNTS = {
    0.35: (396128, 58005808, 1677128, 59285808, 1280),
    0.5: (687680, 95851840, 1968680, 97131840, 1280),
    0.75: (1355424, 207789792, 2636424, 209069792, 1280),
    1.0: (2223872, 299494272, 3504872, 300774272, 1280),
    1.4: (4315776, 580403824, 6108776, 582195824, 1792),
}


def on_meta(**arguments):
    with torch.device('meta'):
        return TappedMobileNetV2(**arguments).eval()


@pytest.mark.parametrize('width', COUNTS)
def test_published_counts(width, tools):
    params, madds, params_fc, madds_fc, last = COUNTS[width]
    backbone = on_meta(widen_factor=width)
    assert tools.count_params(backbone) == params
    assert tools.count_madds(backbone, 224) == madds
    assert backbone.feature_info[-1]['channels'] == last
    assert params + last * 1000 + 1000 == params_fc
    assert madds + last * 1000 == madds_fc


@pytest.mark.parametrize(('tap', 'channels'), [('block', 96), ('expansion', 576)])
def test_the_tap_changes_c4_and_nothing_else(tap, channels, tools):
    backbone = on_meta(tap=tap)
    assert tools.count_params(backbone) == 2223872
    assert tools.count_madds(backbone, 320) == 611212800
    shapes = [tuple(f.shape) for f in backbone(torch.empty(2, 3, 320, 320, device='meta'))]
    assert shapes == [(2, channels, 20, 20), (2, 1280, 10, 10)]


@pytest.mark.parametrize('tap', ['block', 'expansion'])
@pytest.mark.parametrize('width', COUNTS)
def test_feature_info_is_true(width, tap):
    backbone = on_meta(widen_factor=width, tap=tap)
    features = backbone(torch.empty(1, 3, 64, 96, device='meta'))
    assert [info['tap'] for info in backbone.feature_info] == [tap, 'block']
    for info, feature, stride in zip(backbone.feature_info, features, (16, 32), strict=True):
        assert (info['channels'], info['stride']) == (feature.shape[1], stride)
        assert feature.shape[2:] == (64 // stride, 96 // stride)


@pytest.mark.parametrize('width', [1.0, 0.35])
def test_agrees_with_torchvision(width):
    """Random weights and statistics go over in the order of the layers; torchvision's taps are read by index."""
    torch.manual_seed(0)
    theirs = mobilenet_v2(width_mult=width).features
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.normal_(layer.bias, std=0.2)
            nn.init.normal_(layer.running_mean, std=0.2)
            nn.init.uniform_(layer.running_var, 0.7, 1.3)
    theirs.eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        block = theirs[:14](x)
        expected = dict(block=block, expansion=theirs[14].conv[0](block))
        for tap, c4 in expected.items():
            backbone = TappedMobileNetV2(tap=tap, widen_factor=width)
            tensors = dict(zip(backbone.state_dict(), theirs.state_dict().values(), strict=True))
            backbone.load_state_dict(tensors)
            torch.testing.assert_close(backbone.eval()(x), (c4, theirs(x)), atol=1e-5, rtol=1e-5)
            assert c4.std() > 0.05


def test_gradients_reach_every_layer():
    backbone = TappedMobileNetV2(tap='expansion', widen_factor=0.35).train()
    sum(f.square().mean() for f in backbone(torch.rand(2, 3, 64, 64))).backward()
    assert all(p.grad.abs().sum() > 0 for p in backbone.parameters() if p.ndim == 4)


@pytest.mark.parametrize('tap', ['expand', None])
def test_bad_tap(tap):
    with pytest.raises(ValueError) as error:
        TappedMobileNetV2(tap=tap)
    assert str(error.value) == f"tap must be 'block' or 'expansion', but is {tap!r}."
