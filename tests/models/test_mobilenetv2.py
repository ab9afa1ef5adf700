"""The baseline: the published counts, and torchvision's MobileNetV2 at both taps."""

import math

import pytest
import torch
from mmdet.models.layers import InvertedResidual
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
    assert [(info['stage'], info['tap']) for info in backbone.feature_info] == [
        (4 + (tap != 'block'), tap),
        (7, 'block'),
    ]
    for info, feature, stride in zip(backbone.feature_info, features, (16, 32), strict=True):
        assert (info['channels'], info['stride']) == (feature.shape[1], stride)
        assert feature.shape[2:] == (64 // stride, 96 // stride)


def torchvisions(width):
    """A network with random weights and statistics."""
    torch.manual_seed(0)
    theirs = mobilenet_v2(width_mult=width, num_classes=5)
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.normal_(layer.bias, std=0.2)
            nn.init.normal_(layer.running_mean, std=0.2)
            nn.init.uniform_(layer.running_var, 0.7, 1.3)
    return theirs.eval()


@pytest.mark.parametrize('width', [1.0, 0.35])
@pytest.mark.parametrize('wrapped', [False, True])
def test_torchvisions_weights_load_by_init_cfg(width, wrapped, tmp_path, capsys):
    """Bare, as torchvision publishes them, or under "state_dict"; its taps are read by index."""
    network, file = torchvisions(width), tmp_path / 'torchvision.pth'
    torch.save(dict(state_dict=network.state_dict()) if wrapped else network.state_dict(), file)
    theirs = network.features
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        block = theirs[:14](x)
        expected = dict(block=block, expansion=theirs[14].conv[0](block))
        for tap, c4 in expected.items():
            backbone = TappedMobileNetV2(
                tap=tap, widen_factor=width, init_cfg=dict(type='Pretrained', checkpoint=str(file))
            )
            backbone.init_weights()
            torch.testing.assert_close(backbone.eval()(x), (c4, theirs(x)), atol=1e-5, rtol=1e-5)
            assert c4.std() > 0.05
    assert 'do not match' not in ''.join(capsys.readouterr())


def test_gradients_reach_every_layer():
    backbone = TappedMobileNetV2(tap='expansion', widen_factor=0.35).train()
    sum(f.square().mean() for f in backbone(torch.rand(2, 3, 64, 64))).backward()
    assert all(p.grad.abs().sum() > 0 for p in backbone.parameters() if p.ndim == 4)


@pytest.mark.parametrize('tap', ['expand', None])
def test_bad_tap(tap):
    with pytest.raises(ValueError) as error:
        TappedMobileNetV2(tap=tap)
    assert str(error.value) == f"tap must be 'block' or 'expansion', but is {tap!r}."


def test_torchvisions_weights_load_below_a_prefix_and_ours_as_they_are():
    network, parent = torchvisions(0.35), nn.ModuleDict(dict(backbone=TappedMobileNetV2(widen_factor=0.35)))
    parent.load_state_dict({f'backbone.{key}': value for key, value in network.state_dict().items()})
    state = parent['backbone'].state_dict()
    for ours, theirs in zip(state.values(), network.features.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)
    again = TappedMobileNetV2(widen_factor=0.35)
    again.load_state_dict(state)
    assert all(torch.equal(a, b) for a, b in zip(again.state_dict().values(), state.values(), strict=True))


def test_files_without_counters_of_batches_load_too():
    state = {key: value for key, value in torchvisions(0.35).state_dict().items() if 'num_batches' not in key}
    backbone = TappedMobileNetV2(widen_factor=0.35)
    backbone.load_state_dict(state)
    assert torch.equal(backbone.conv2.bn.running_var, state['features.18.1.running_var'])


def test_torchvisions_weights_for_other_blocks_are_refused():
    with pytest.raises(ValueError) as error:
        TappedMobileNetV2(block='extra_depthwise').load_state_dict(mobilenet_v2().state_dict())
    assert str(error.value) == (
        "The weights are 260 tensors of torchvision's MobileNetV2, but this backbone has 345: they fit "
        "block='inverted_residual' only."
    )


# The article's controls

# Hidden channels and stride of each block, the side of its input at 224 pixels.
HIDDEN = [(32, 1, 112), (96, 2, 112), (144, 1, 56), (144, 2, 56), *[(192, 1, 28)] * 2, (192, 2, 28)]
HIDDEN += [*[(384, 1, 14)] * 4, *[(576, 1, 14)] * 2, (576, 2, 14), *[(960, 1, 7)] * 3]


def test_an_extra_depthwise_convolution_in_every_block(tools):
    plain, extra = on_meta(), on_meta(block='extra_depthwise')
    assert tools.count_params(extra) == 2302368 == 2223872 + sum(11 * hidden for hidden, _, _ in HIDDEN)
    assert tools.count_madds(extra, 320) == 679929600
    assert tools.count_madds(extra, 224) == 299494272 + sum(9 * hidden * side**2 for hidden, _, side in HIDDEN)
    blocks = [module for module in extra.modules() if isinstance(module, InvertedResidual)]
    for block, (hidden, stride, _) in zip(blocks, HIDDEN, strict=True):
        layers = [m for m in block.depthwise_conv.modules() if not list(m.children())]
        assert [type(m).__name__ for m in layers] == ['Conv2d', 'BatchNorm2d', 'ReLU6'] * 2
        assert [layers[i].stride[0] for i in (0, 3)] == [1, stride]
        assert all(layers[i].groups == layers[i].in_channels == hidden for i in (0, 3))
    assert extra.feature_info == plain.feature_info


def test_sandglass_blocks_in_its_place(tools):
    backbone = on_meta(block='sandglass')
    assert tools.count_params(backbone) == 517082
    assert tools.count_madds(backbone, 320) == 122806400
    assert not any(isinstance(module, InvertedResidual) for module in backbone.modules())


@pytest.mark.parametrize('block', ['extra_depthwise', 'sandglass'])
@pytest.mark.parametrize('tap', ['block', 'expansion'])
@pytest.mark.parametrize('width', [1.0, 0.35])
def test_other_blocks_are_tapped_in_the_same_places(width, tap, block):
    backbone = on_meta(widen_factor=width, tap=tap, block=block)
    seen = []
    first = backbone.layer6[0]
    inside = first.expand if block == 'sandglass' else first.expand_conv
    (inside if tap == 'expansion' else backbone.layer5).register_forward_hook(lambda *call: seen.append(call[-1]))
    features = backbone(torch.empty(1, 3, 64, 96, device='meta'))
    assert len(seen) == 1 and features[0] is seen[0]
    for info, feature, stride in zip(backbone.feature_info, features, (16, 32), strict=True):
        assert (info['channels'], info['stride']) == (feature.shape[1], stride)
        assert feature.shape[2:] == (64 // stride, 96 // stride)


@pytest.mark.parametrize('block', ['extra_depthwise', 'sandglass'])
def test_gradients_reach_every_layer_of_other_blocks(block):
    torch.manual_seed(0)
    backbone = TappedMobileNetV2(tap='expansion', widen_factor=0.35, block=block, frozen_stages=1)
    backbone.init_weights()
    sum(f.square().mean() for f in backbone.train()(torch.rand(2, 3, 64, 64))).backward()
    free = {name: p for name, p in backbone.named_parameters() if p.requires_grad}
    assert not any(name.startswith(('conv1', 'layer1.')) for name in free)
    assert all(p.grad.abs().sum() > 0 for p in free.values() if p.ndim == 4)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            dict(block='hourglass'),
            "block must be one of ('inverted_residual', 'extra_depthwise', 'sandglass'), but is 'hourglass'.",
        ),
        *(
            (dict(widen_factor=width), f'widen_factor must be more than 0, but is {width}.')
            for width in (0, -1.0, math.nan)
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        TappedMobileNetV2(**arguments)
    assert str(error.value) == message
