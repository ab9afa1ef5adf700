"""The extra levels: layers, widths and counts of both forms."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mobilenext_det.models import SSDLiteNeck

SANDGLASS_INPUTS = (576, 1280, 1280)
# What the recipe says of each extra level: input, bottleneck or hidden, and output width.
SANDGLASS = [(1280, 256, 512), (512, 128, 256), (256, 128, 256), (256, 128, 128)]
INVERTED_RESIDUAL = [(1280, 256, 512), (512, 256, 256), (256, 128, 256), (256, 128, 64)]


def on_meta(**arguments):
    with torch.device('meta'):
        return SSDLiteNeck(**arguments).eval()


def inputs(channels, size=320, device='meta', batch=2):
    """C4 at stride 16, and the others at stride 32."""
    sides = [-(-size // stride) for stride in (16, 32, 32)]
    return [torch.rand(batch, c, s, s, device=device) for c, s in zip(channels, sides, strict=False)]


def convolutions(module):
    """(kernel, stride, groups, input, output) of each convolution, and BN, ReLU6 between, in the order they run."""
    found = []
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            kind = 'dw' if layer.groups == layer.in_channels > 1 else 'point'
            assert layer.kernel_size == ((3, 3) if kind == 'dw' else (1, 1)) and layer.bias is None
            found.append((kind, layer.stride[0], layer.in_channels, layer.out_channels))
        elif isinstance(layer, nn.BatchNorm2d):
            assert (layer.eps, layer.momentum) == (1e-5, 0.1)
            found.append('BN')
        elif isinstance(layer, nn.ReLU6):
            found.append('ReLU6')
    return found


def test_sandglass_levels():
    levels = on_meta(in_channels=SANDGLASS_INPUTS, block='sandglass').extra_levels
    for level, (cin, hidden, cout) in zip(levels, SANDGLASS, strict=True):
        dw, reduce, expand = ('dw', 2, cin, cin), ('point', 1, cin, hidden), ('point', 1, hidden, cout)
        assert convolutions(level) == [dw, 'BN', 'ReLU6', reduce, 'BN', expand, 'BN', 'ReLU6']


def test_inverted_residual_levels():
    levels = on_meta(in_channels=(96, 1280), block='inverted_residual').extra_levels
    for level, (cin, hidden, cout) in zip(levels, INVERTED_RESIDUAL, strict=True):
        expand, dw, project = ('point', 1, cin, hidden), ('dw', 2, hidden, hidden), ('point', 1, hidden, cout)
        assert convolutions(level) == [expand, 'BN', 'ReLU6', dw, 'BN', 'ReLU6', project, 'BN']


@pytest.mark.parametrize(
    ('in_channels', 'block', 'out_channels', 'params'),
    [
        ((576, 1280, 1280), 'sandglass', (576, 1280, 512, 256, 256, 128), 700672),
        ((200, 1280, 1280), 'sandglass', (200, 1280, 512, 256, 256, 128), 700672),
        ((96, 1280), 'inverted_residual', (96, 1280, 512, 256, 256, 64), 774016),
        ((576, 1280), 'inverted_residual', (576, 1280, 512, 256, 256, 64), 774016),
    ],
)
def test_levels(in_channels, block, out_channels, params, tools):
    neck = on_meta(in_channels=in_channels, block=block)
    levels = neck(inputs(in_channels))
    sides = (20, 10, 5, 3, 2, 1)
    assert [tuple(x.shape) for x in levels] == [(2, c, s, s) for c, s in zip(out_channels, sides, strict=True)]
    assert neck.out_channels == out_channels
    assert tools.count_params(neck) == params


def test_only_the_first_input_follows_the_width():
    convs = [layer for layer in convolutions(on_meta(in_channels=(808, 1792, 1792))) if isinstance(layer, tuple)]
    assert convs[:3] == [('dw', 2, 1792, 1792), ('point', 1, 1792, 256), ('point', 1, 256, 512)]
    assert (
        convs[3:]
        == [layer for layer in convolutions(on_meta(in_channels=SANDGLASS_INPUTS)) if isinstance(layer, tuple)][3:]
    )


def reference_level(level, x, form):
    """One extra level in float64 from its tensors: what it computes, whatever its modules are called."""
    tensors = [t.double() for name, t in level.state_dict().items() if 'num_batches' not in name]
    for kind, act in form:
        weight, gamma, beta, mean, var = (tensors.pop(0) for _ in range(5))
        groups = len(weight) if kind == 'dw' else 1
        x = F.conv2d(x, weight, stride=2 if kind == 'dw' else 1, padding=1 if kind == 'dw' else 0, groups=groups)
        x = F.batch_norm(x, mean, var, gamma, beta, eps=1e-5)
        x = x.clamp(0, 6) if act else x
    assert not tensors
    return x


@pytest.mark.parametrize(
    ('in_channels', 'block', 'form'),
    [
        ((8, 16, 24), 'sandglass', [('dw', True), ('point', False), ('point', True)]),
        ((8, 16), 'inverted_residual', [('point', True), ('dw', True), ('point', False)]),
    ],
)
def test_what_the_levels_compute(in_channels, block, form):
    torch.manual_seed(0)
    neck = SSDLiteNeck(in_channels, block).eval()
    for layer in neck.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
            nn.init.normal_(layer.running_mean, std=0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    features = inputs(in_channels, device='cpu')
    c4, c5, *extra = neck(features)
    assert c4 is features[0] and c5 is features[1]
    x = features[-1].double()  # C5 itself, unless a third feature comes in
    for level, out in zip(neck.extra_levels, extra, strict=True):
        x = reference_level(level, x, form)
        torch.testing.assert_close(out.double(), x, atol=1e-5, rtol=1e-5)


def test_initial_weights():
    torch.manual_seed(0)
    neck = SSDLiteNeck((96, 1280), 'inverted_residual')
    for p in neck.parameters():
        if p.ndim == 4:
            nn.init.constant_(p, 7)
    neck.init_weights()
    for layer in neck.modules():
        if isinstance(layer, nn.Conv2d):
            out, _, k, _ = layer.weight.shape
            expected = (2 / (k * k * out)) ** 0.5
            assert layer.weight.std().item() == pytest.approx(expected, rel=4 / (2 * layer.weight.numel()) ** 0.5)


@pytest.mark.parametrize('in_channels', [(1280,), (1, 2, 3, 4)])
def test_bad_in_channels(in_channels):
    with pytest.raises(ValueError) as error:
        SSDLiteNeck(in_channels)
    expected = (
        f'in_channels must be those of C4, C5 and at most one more feature, but is {in_channels}: '
        "choose features by the backbone's out_indices."
    )
    assert str(error.value) == expected


def test_bad_block():
    with pytest.raises(ValueError) as error:
        SSDLiteNeck(SANDGLASS_INPUTS, block='residual')
    assert str(error.value) == "block must be one of ('sandglass', 'inverted_residual'), but is 'residual'."
