import pytest
import torch
from torch import nn

from mobilenext_det.models import MobileNeXt, TappedMobileNetV2

PAIRS = ((5, 'expansion'), (7, 'block'), (0, 'expansion'), (0, 'block'), (1, 'block'), (2, 'block'))
BACKBONES = {
    'mobilenext': lambda **kw: MobileNeXt(
        widen_factor=0.35, out_indices=[stage for stage, _ in PAIRS], taps=[tap for _, tap in PAIRS], **kw
    ),
    'mobilenetv2': lambda **kw: TappedMobileNetV2(widen_factor=0.35, tap='expansion', **kw),
    'sandglass': lambda **kw: TappedMobileNetV2(widen_factor=0.5, block='sandglass', **kw),
}


@pytest.mark.parametrize('total_stride', [32, 16, 8])
@pytest.mark.parametrize('make', BACKBONES.values(), ids=BACKBONES)
def test_features_have_the_strides_that_are_told(make, total_stride):
    backbone = make(total_stride=total_stride).eval()
    with torch.no_grad():
        features = backbone(torch.rand(1, 3, 64, 64))
    told = [(1, info['channels'], 64 // info['stride'], 64 // info['stride']) for info in backbone.feature_info]
    assert [tuple(feature.shape) for feature in features] == told
    assert max(info['stride'] for info in backbone.feature_info) == total_stride


@pytest.mark.parametrize('make', BACKBONES.values(), ids=BACKBONES)
def test_the_first_strides_go_and_weights_fit_each_other(make):
    full, small = make(), make(total_stride=8)
    small.load_state_dict(full.state_dict())
    convs = [
        (theirs.stride, ours.stride)
        for theirs, ours in zip(full.modules(), small.modules(), strict=True)
        if isinstance(theirs, nn.Conv2d) and theirs.stride != (1, 1)
    ]
    assert convs == [((2, 2), (1, 1))] * 2 + [((2, 2), (2, 2))] * 3


def test_a_small_image_keeps_a_map_of_four_by_four():
    (feature,) = MobileNeXt(out_indices=(7,), total_stride=8).eval()(torch.rand(1, 3, 32, 32))
    assert tuple(feature.shape) == (1, 1280, 4, 4)


@pytest.mark.parametrize('network', [MobileNeXt, TappedMobileNetV2])
def test_another_stride_is_refused(network):
    with pytest.raises(ValueError, match=r'total_stride must be one of \(32, 16, 8\), but is 4\.'):
        network(total_stride=4)
