"""The block with one decision reversed: layers in their order, what they compute, and the network around them."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mobilenext_det.models import ActivationSandglassBlock, MobileNeXt, NarrowDepthwiseSandglassBlock, SandglassBlock

SSDLITE = dict(out_indices=(5, 7, 7), taps=('expansion', 'expansion', 'block'))
# Arguments, whether the block has a first and a last depthwise convolution, whether there is a shortcut.
FORMS = {
    'equal widths': (dict(in_channels=96, out_channels=96), (True, True), True),
    'equal widths at stride 2': (dict(in_channels=96, out_channels=96, stride=2), (True, True), False),
    'one stride-1 block': (dict(in_channels=96, out_channels=144, keep_depthwise=True), (True, True), False),
    'stride 2, new width': (dict(in_channels=96, out_channels=144, stride=2), (False, True), False),
    'stride 1, new width': (dict(in_channels=96, out_channels=144), (False, False), False),
}
PLACEMENTS = [
    ('depthwise_in', 'expand'),
    ('depthwise_in', 'reduce', 'expand'),
    ('depthwise_in', 'expand', 'depthwise_out'),
    ('depthwise_in', 'reduce', 'expand', 'depthwise_out'),
    (),
]


def run_layer(x, block, name, act):
    """One layer in float64 from its tensors."""
    weight, gamma, beta, mean, var = (
        t.double() for key, t in block.state_dict().items() if key.startswith(f'{name}.') and 'num_' not in key
    )
    strided = name == 'depthwise_out' and getattr(block, name).stride == (2, 2)
    depthwise = weight.shape[-1] == 3
    assert depthwise == name.startswith('depthwise')
    x = F.conv2d(x, weight, stride=1 + strided, padding=1 if depthwise else 0, groups=len(weight) if depthwise else 1)
    x = F.batch_norm(x, mean, var, gamma, beta, eps=1e-5)
    return x.clamp(0, 6) if act else x


def layers_of(form):
    first, last = FORMS[form][1]
    return ['depthwise_in'] * first + ['reduce', 'expand'] + ['depthwise_out'] * last


def parameters(model):
    return {name: tuple(p.shape) for name, p in model.named_parameters()}


# Activations


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('act_after', PLACEMENTS, ids=str)
def test_activations(form, act_after, tools):
    arguments, _, shortcut = FORMS[form]
    block = tools.randomise(ActivationSandglassBlock(**arguments, act_after=act_after))
    assert sum(isinstance(m, nn.ReLU6) for m in block.modules()) == len(set(act_after) & set(layers_of(form)))
    assert parameters(block) == parameters(SandglassBlock(**arguments))
    inputs = torch.randn(2, 96, 7, 9)
    x = inputs.double()
    for name in layers_of(form):
        x = run_layer(x, block, name, name in act_after)
        if name == 'expand':
            expansion = x
    expected = (expansion, x + inputs if shortcut else x)
    out = [feature.double() for feature in block.forward_with_expansion(inputs)]
    torch.testing.assert_close(out, list(expected), atol=1e-5, rtol=1e-5)


def test_the_default_placement_is_the_articles(tools):
    plain = tools.randomise(SandglassBlock(96, 96))
    block = ActivationSandglassBlock(in_channels=96, out_channels=96)
    block.load_state_dict(plain.state_dict())
    x = torch.randn(1, 96, 6, 6)
    torch.testing.assert_close(block.eval()(x), plain(x), atol=0, rtol=0)


def test_other_layers_stay_as_chosen():
    block = ActivationSandglassBlock(
        in_channels=24,
        out_channels=24,
        act_after=('reduce', 'depthwise_out'),
        conv_cfg=dict(type='AutocastConv2d'),
        norm_cfg=dict(type='GN', num_groups=4),
        act_cfg=dict(type='HSwish'),
    )
    names = [type(m).__name__ for m in block.modules() if not list(m.children())]
    assert [names.count(n) for n in ('AutocastConv2d', 'GroupNorm', 'Hardswish')] == [4, 4, 2]


def test_unknown_layer():
    with pytest.raises(ValueError) as error:
        ActivationSandglassBlock(in_channels=24, out_channels=24, act_after=('expand', 'se'))
    assert str(error.value) == (
        "act_after must name layers of ('depthwise_in', 'reduce', 'expand', 'depthwise_out'), but is ('expand', 'se')."
    )


def test_a_residual_that_ends_in_an_activation_cannot_start_at_zero():
    """ReLU6 passes no gradient back at 0."""
    cfg = dict(type='ActivationSandglassBlock', act_after=('expand', 'depthwise_out'))
    backbone = MobileNeXt(0.35, block_cfg=cfg, zero_init_residual=True)
    with pytest.raises(ValueError, match='^zero_init_residual would stop the gradient of a residual branch that ends'):
        backbone.init_weights()
    cfg['act_after'] = ('depthwise_in', 'reduce', 'expand')
    MobileNeXt(0.35, block_cfg=cfg, zero_init_residual=True).init_weights()


# Depthwise convolutions in the bottleneck


@pytest.mark.parametrize('form', FORMS)
def test_narrow_depthwise(form, tools):
    arguments, (first, _), shortcut = FORMS[form]
    block = tools.randomise(NarrowDepthwiseSandglassBlock(**arguments))
    inputs = torch.randn(2, 96, 7, 9)
    if not first or arguments.get('stride') == 2:
        plain = SandglassBlock(**arguments)
        plain.load_state_dict(block.state_dict())
        torch.testing.assert_close(
            block.forward_with_expansion(inputs), plain.eval().forward_with_expansion(inputs), atol=0, rtol=0
        )
        return
    x = inputs.double()
    for name, act in [('reduce', False), ('depthwise_in', True), ('depthwise_out', True), ('expand', False)]:
        x = run_layer(x, block, name, act)
    expansion, out = block.forward_with_expansion(inputs)
    torch.testing.assert_close(expansion.double(), x, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(out.double(), x + inputs if shortcut else x, atol=1e-5, rtol=1e-5)
    hidden = block.reduce.out_channels
    assert {p.shape[0] for name, p in block.named_parameters() if 'depthwise' in name} == {hidden}
    assert hidden < 96 / 2


def test_narrow_depthwise_with_squeeze_and_excitation_and_part_of_the_shortcut(tools):
    arguments = dict(in_channels=48, out_channels=48, se_cfg=dict(ratio=8), identity_multiplier=1 / 3)
    block = tools.randomise(NarrowDepthwiseSandglassBlock(**arguments))
    x = torch.randn(2, 48, 6, 6)
    expansion, out = block.forward_with_expansion(x)
    expected = block.se(expansion)
    expected = torch.cat((expected[:, :16] + x[:, :16], expected[:, 16:]), 1)
    torch.testing.assert_close(out, expected, atol=1e-6, rtol=1e-6)


# The network around them


@pytest.mark.parametrize('kind', ['ActivationSandglassBlock', 'NarrowDepthwiseSandglassBlock'])
def test_taps_keep_their_places_and_gradients_flow(kind):
    torch.manual_seed(0)
    block_cfg = dict(type=kind) | (
        dict(act_after=('depthwise_in', 'reduce', 'expand', 'depthwise_out')) if 'Activation' in kind else {}
    )
    backbone = MobileNeXt(0.35, block_cfg=block_cfg, **SSDLITE)
    backbone.init_weights()
    features = backbone.train()(torch.rand(2, 3, 64, 64))
    assert [tuple(f.shape) for f in features] == [(2, 200, 4, 4), (2, 1280, 2, 2), (2, 1280, 2, 2)]
    sum(f.square().mean() for f in features).backward()
    assert all(p.grad.abs().sum() > 0 for p in backbone.parameters() if p.ndim == 4)
    blocks = [m for m in backbone.modules() if isinstance(m, SandglassBlock)]
    assert len(blocks) == 20 and {type(m).__name__ for m in blocks} == {kind}


def test_narrow_residuals_can_start_at_zero():
    backbone = MobileNeXt(0.35, block_cfg=dict(type='NarrowDepthwiseSandglassBlock'), zero_init_residual=True)
    backbone.init_weights()
    block = backbone.stages[2][1].eval()
    x = torch.rand(1, 64, 4, 4)
    torch.testing.assert_close(block(x), x)
    assert not block.expand.norm.weight.any()
    assert (block.depthwise_out.norm.weight == 1).all()
