"""The block: its four forms, its shortcut, its options; held against plain float64 arithmetic."""

import math
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from mobilenext_det.models import SandglassBlock
from mobilenext_det.models.sandglass import bottleneck_channels

FULL = ['dw3', 'BN', 'ReLU6', '1x1', 'BN', '1x1', 'BN', 'ReLU6', 'dw3', 'BN']
FULL_STRIDED = FULL[:8] + ['dw3/2', 'BN']
NO_FIRST_DW = ['1x1', 'BN', '1x1', 'BN', 'ReLU6', 'dw3/2', 'BN']
NO_DW = ['1x1', 'BN', '1x1', 'BN', 'ReLU6']

# Each row of the facts' block forms: arguments, layers in order of execution, whether there is a shortcut.
FORMS = {
    'reduction 2, as stage 0': (
        dict(in_channels=32, out_channels=96, stride=2, reduction_ratio=2),
        FULL_STRIDED,
        False,
    ),
    'one stride-1 block, as stage 1': (dict(in_channels=96, out_channels=144, keep_depthwise=True), FULL, False),
    'one stride-1 block, equal widths': (dict(in_channels=96, out_channels=96, keep_depthwise=True), FULL, False),
    'equal widths': (dict(in_channels=96, out_channels=96), FULL, True),
    'equal widths at stride 2': (dict(in_channels=96, out_channels=96, stride=2), FULL_STRIDED, False),
    'stride 2, new width': (dict(in_channels=96, out_channels=144, stride=2), NO_FIRST_DW, False),
    'stride 1, new width': (dict(in_channels=96, out_channels=144), NO_DW, False),
}


def describe(layer):
    if isinstance(layer, nn.BatchNorm2d):
        return 'BN'
    if isinstance(layer, nn.Conv2d):
        depthwise = layer.groups == layer.in_channels == layer.out_channels and layer.kernel_size == (3, 3)
        name = 'dw3' if depthwise else '{}x{}'.format(*layer.kernel_size)
        assert depthwise or layer.groups == 1
        assert layer.bias is None
        return name if layer.stride == (1, 1) else f'{name}/{layer.stride[0]}'
    return type(layer).__name__


def executed_layers(block, x):
    """Names of the leaf layers in the order they run in, whatever the block calls them."""
    names, handles = [], []
    for layer in block.modules():
        if not list(layer.children()) and not isinstance(layer, nn.Identity):
            handles.append(layer.register_forward_hook(lambda m, *_: names.append(describe(m))))
    block(x)
    for handle in handles:
        handle.remove()
    return names


def reference(block, x, layers, se=None):
    """Residual branch and shortcut-less output in float64, from the block's tensors in their order."""
    tensors = [t.double() for name, t in block.state_dict().items() if 'num_batches' not in name]
    x, layers = x.double(), iter(layers)
    for name in layers:
        if name == 'ReLU6':
            x = x.clamp(0, 6)
            continue
        weight, gamma, beta, mean, var = (tensors.pop(0) for _ in range(5))
        assert next(layers) == 'BN'
        depthwise = name.startswith('dw3')
        x = F.conv2d(
            x,
            weight,
            stride=2 if name.endswith('/2') else 1,
            padding=1 if depthwise else 0,
            groups=len(weight) if depthwise else 1,
        )
        shape = (1, -1, 1, 1)
        x = (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt() * gamma.view(shape) + beta.view(shape)
    if se:
        squeeze, squeeze_bias, excite, excite_bias = tensors
        gate = (squeeze.flatten(1) @ x.mean((2, 3)).T).T + squeeze_bias
        gate = (excite.flatten(1) @ gate.clamp(min=0).T).T + excite_bias
        x = x * ((gate + 3).clamp(0, 6) / 6)[..., None, None]
    else:
        assert not tensors
    return x


@pytest.mark.parametrize('form', FORMS)
def test_forms(form, tools):
    arguments, layers, shortcut = FORMS[form]
    block = tools.randomise(SandglassBlock(**arguments))
    x = torch.randn(2, arguments['in_channels'], 7, 9)
    assert executed_layers(block, x) == layers

    expected = reference(block, x, layers)
    if shortcut:
        expected = expected + x
    out = block(x)
    stride = arguments.get('stride', 1)
    assert out.shape == (2, arguments['out_channels'], math.ceil(7 / stride), math.ceil(9 / stride))
    torch.testing.assert_close(out.double(), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('form', FORMS)
def test_expansion_is_what_the_last_depthwise_reads(form, tools):
    arguments, layers, _ = FORMS[form]
    block = tools.randomise(SandglassBlock(**arguments))
    x = torch.randn(2, arguments['in_channels'], 8, 8)
    expansion, out = block.forward_with_expansion(x)
    until = len(layers) - 2 if layers[-2].startswith('dw3') else len(layers)
    # The reference reads tensors in order and has to be stopped before the last depthwise convolution's.
    kept = nn.Module()
    kept.state_dict = lambda: dict(list(block.state_dict().items())[: layers[:until].count('BN') * 6])
    torch.testing.assert_close(expansion.double(), reference(kept, x, layers[:until]), atol=1e-5, rtol=1e-5)
    assert expansion.shape == (2, arguments['out_channels'], 8, 8)
    torch.testing.assert_close(out, block(x), atol=0, rtol=0)


@pytest.mark.parametrize(
    ('in_channels', 'out_channels', 'ratio', 'hidden'),
    [
        (32, 96, 2, 16),
        (96, 144, 6, 32),
        (144, 192, 6, 32),
        (192, 288, 6, 48),
        (288, 384, 6, 64),
        (384, 576, 6, 96),
        (576, 960, 6, 160),
        (960, 1280, 6, 208),
        (96, 96, 6, 16),  # 96 / 6 is a sixth of the output: nothing is rounded
        (100, 100, 6, 16),  # 16 is under a sixth; 17 rounds to 16
        (104, 104, 6, 32),  # 17 is under a sixth; 18 rounds to 16, which loses more than a tenth
    ],
)
def test_bottleneck_channels(in_channels, out_channels, ratio, hidden):
    assert bottleneck_channels(in_channels, out_channels, ratio) == hidden
    block = SandglassBlock(in_channels, out_channels, reduction_ratio=ratio)
    assert [m.out_channels for m in block.modules() if isinstance(m, nn.Conv2d) and m.groups == 1][0] == hidden


@pytest.mark.parametrize('share', ['1', '1/2', '1/3', '1/6', '5/7', '0'])
@pytest.mark.parametrize('channels', [96, 200])
def test_identity_multiplier(share, channels, tools):
    share = Fraction(share)
    block = tools.randomise(SandglassBlock(channels, channels, identity_multiplier=float(share)))
    x = torch.randn(2, channels, 6, 6)
    expected = reference(block, x, FULL)
    kept = share.numerator * channels // share.denominator
    expected[:, :kept] += x[:, :kept].double()
    torch.testing.assert_close(block(x).double(), expected, atol=1e-5, rtol=1e-5)


@settings(max_examples=50, deadline=None)
@example(share=(7, 10), channels=360)  # in floats, .7 * 360 falls short of 252
@given(
    share=st.integers(1, 1000).flatmap(lambda q: st.tuples(st.integers(0, q), st.just(q))),
    channels=st.integers(1, 240).map(lambda n: 8 * n),
)
def test_any_fraction_keeps_its_floor_of_channels(share, channels):
    numerator, denominator = share
    with torch.device('meta'):
        block = SandglassBlock(channels, channels, identity_multiplier=numerator / denominator)
    assert block.identity_channels == numerator * channels // denominator


@pytest.mark.parametrize('arguments', [dict(stride=2), dict(keep_depthwise=True)])
def test_the_multiplier_makes_no_shortcut_where_there_is_none(arguments):
    with_, without = (SandglassBlock(24, 24, identity_multiplier=share, **arguments) for share in (0.5, 0.0))
    with_.load_state_dict(without.state_dict())
    x = torch.randn(2, 24, 6, 6)
    torch.testing.assert_close(with_.eval()(x), without.eval()(x), atol=0, rtol=0)


@pytest.mark.parametrize(('form', 'ratio'), [('equal widths', 16), ('equal widths', 4), ('stride 1, new width', 16)])
def test_squeeze_and_excitation(form, ratio, tools):
    arguments, layers, shortcut = FORMS[form]
    block = tools.randomise(SandglassBlock(**arguments, se_cfg=dict(ratio=ratio)))
    plain = SandglassBlock(**arguments)
    channels, squeezed = arguments['out_channels'], arguments['out_channels'] // ratio
    params = [sum(p.numel() for p in b.parameters()) for b in (block, plain)]
    assert params[0] - params[1] == 2 * channels * squeezed + squeezed + channels

    x = torch.randn(2, arguments['in_channels'], 6, 6)
    expected = reference(block, x, layers, se=ratio) + (x if shortcut else 0)
    torch.testing.assert_close(block(x).double(), expected, atol=1e-5, rtol=1e-5)


def test_the_gate_can_be_chosen():
    gate = (dict(type='ReLU'), dict(type='Sigmoid'))
    block = SandglassBlock(48, 48, se_cfg=dict(ratio=8, act_cfg=gate))
    assert any(isinstance(m, nn.Sigmoid) for m in block.modules())


@pytest.mark.parametrize('form', FORMS)
def test_checkpointing_changes_neither_outputs_nor_gradients(form):
    arguments, _, _ = FORMS[form]
    plain, checkpointed = SandglassBlock(**arguments), SandglassBlock(**arguments, with_cp=True)
    checkpointed.load_state_dict(plain.state_dict())
    x = torch.randn(2, arguments['in_channels'], 6, 6)
    results = []
    for block in (plain, checkpointed):
        leaf = x.clone().requires_grad_()
        out = block(leaf)
        out.square().mean().backward()
        results.append((out, leaf.grad, *(p.grad for p in block.parameters())))
    torch.testing.assert_close(results[0], results[1])
    batches = [
        max(m.num_batches_tracked for m in b.modules() if isinstance(m, nn.BatchNorm2d)) for b in (plain, checkpointed)
    ]
    assert batches == [1, 2]  # the second pass shows that activations were computed again


def test_other_layers_can_be_chosen():
    block = SandglassBlock(24, 24, norm_cfg=dict(type='GN', num_groups=4), act_cfg=dict(type='HSwish'))
    names = executed_layers(block, torch.randn(2, 24, 6, 6))
    assert set(names) == {'dw3', '1x1', 'GroupNorm', 'Hardswish'}


@pytest.mark.parametrize('stride', [0, 3, (1, 1)])
def test_bad_stride(stride):
    with pytest.raises(ValueError, match=r'^stride must be 1 or 2, but is .*\.$') as error:
        SandglassBlock(24, 24, stride=stride)
    assert str(stride) in str(error.value)


@pytest.mark.parametrize('multiplier', [-0.1, 1.01, 6, math.nan])
def test_bad_identity_multiplier(multiplier):
    with pytest.raises(ValueError, match=rf'^identity_multiplier must lie in \[0, 1\], but is {multiplier}\.$'):
        SandglassBlock(24, 24, identity_multiplier=multiplier)


@pytest.mark.parametrize('multiplier', [1.0, 1 / 3])
def test_exports(multiplier, tools):
    """Tracing and torch.export both take the shortcut as it stands, without an in-place or scatter operator."""
    block = tools.randomise(SandglassBlock(24, 24, identity_multiplier=multiplier))
    x, other = torch.randn(2, 1, 24, 6, 6)
    traced = torch.jit.trace(block, (x,), check_trace=False)
    exported = torch.export.export(block, (x,))
    for exports in (traced, exported.module()):
        torch.testing.assert_close(exports(other), block(other))
    operators = {str(node.target) for node in exported.graph.nodes if node.op == 'call_function'}
    assert not any(word in operator for operator in operators for word in ('index_put', 'scatter', 'copy', 'add_.'))
