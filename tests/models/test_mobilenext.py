"""The backbone: every published count, every shape, and a second network built from the paper's table to agree with."""

import doctest
import itertools
import math

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mobilenext_det.models import MobileNeXt, SandglassBlock, mobilenext

# Width: backbone parameters, multiply-adds at 224 and at 320, both with fc(1000) at 224, channels of the last stage.
COUNTS = {
    0.35: (632976, 73861032, 150736800, 1913976, 75141032, 1280),
    0.5: (871304, 101976448, 208115200, 2152304, 103256448, 1280),
    0.75: (1485168, 206646720, 421728000, 2766168, 207926720, 1280),
    1.0: (2254416, 310062592, 632780800, 3535416, 311342592, 1280),
    1.4: (4333168, 586527256, 1196994400, 6126168, 588319256, 1792),
}
CHANNELS = (96, 144, 192, 288, 384, 576, 960, 1280)
STRIDES = (4, 4, 8, 16, 16, 32, 32, 32)
# An expansion is read before its stage's stride; stages 4 and 6 have no depthwise convolution after it.
EXPANSION_STRIDES = {0: 2, 1: 4, 2: 4, 3: 8, 5: 16, 7: 32}
SSDLITE = dict(out_indices=(5, 7, 7), taps=('expansion', 'expansion', 'block'))


def on_meta(**arguments):
    with torch.device('meta'):
        return MobileNeXt(**arguments).eval()


def divisible(value, divisor):
    """Nearest multiple that does not lose more than a tenth (MobileNets' rule, written again)."""
    rounded = max(divisor, math.floor(value / divisor + 0.5) * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class ReleasedBlock(nn.Module):
    """The block as the authors' files hold it: one Sequential, `conv.0` to `conv.9`."""

    def __init__(self, cin, cout, stride, ratio, depth, alpha):
        super().__init__()
        hidden = cin // ratio
        if hidden < cout / 6:
            hidden = divisible(math.ceil(cout / 6), 16)
        alone = depth == 1 and stride == 1
        full = ratio == 2 or cin == cout or alone
        layers = []
        if full:
            layers += [nn.Conv2d(cin, cin, 3, 1, 1, groups=cin, bias=False), nn.BatchNorm2d(cin), nn.ReLU6()]
        layers += [nn.Conv2d(cin, hidden, 1, bias=False), nn.BatchNorm2d(hidden)]
        layers += [nn.Conv2d(hidden, cout, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU6()]
        self.expansion_ends = len(layers)
        if full or stride == 2:
            layers += [nn.Conv2d(cout, cout, 3, stride, 1, groups=cout, bias=False), nn.BatchNorm2d(cout)]
        self.conv = nn.Sequential(*layers)
        self.identity = math.floor(alpha * cout + 1e-9) if cin == cout and not alone else 0

    def forward(self, x):
        out = self.conv(x)
        if self.identity:
            out[:, : self.identity] += x[:, : self.identity]
        return out


class ReleasedNetwork(nn.Module):
    """features.0 is the stem, features.1 to features.20 are the blocks."""

    def __init__(self, width=1.0, alpha=1.0):
        super().__init__()
        table = [(2, 96, 1, 2), (6, 144, 1, 1), (6, 192, 3, 2), (6, 288, 3, 2)]
        table += [(6, 384, 4, 1), (6, 576, 4, 2), (6, 960, 3, 1), (6, 1280, 1, 1)]
        cin = divisible(32 * width, 8)
        features = [nn.Sequential(nn.Conv2d(3, cin, 3, 2, 1, bias=False), nn.BatchNorm2d(cin), nn.ReLU6())]
        self.first_blocks = []
        for ratio, channels, depth, stride in table:
            cout = divisible(channels * width, 8)
            if channels == 1280 and width < 1:
                cout = 1280
            self.first_blocks.append(len(features))
            for i in range(depth):
                features.append(ReleasedBlock(cin, cout, stride if i == 0 else 1, ratio, depth, alpha))
                cin = cout
        self.features = nn.Sequential(*features)

    def forward(self, x):
        """Return every stage's expansion and output."""
        taps = {}
        for index, block in enumerate(self.features):
            if index in self.first_blocks:
                stage = self.first_blocks.index(index)
                taps[stage, 'expansion'] = block.conv[: block.expansion_ends](x)
            x = block(x)
            if index + 1 in (*self.first_blocks, len(self.features)):
                taps[len([first for first in self.first_blocks if first <= index]) - 1, 'block'] = x
        return taps


def scramble(network, seed=0):
    """Random weights and statistics that keep activations near 1 through twenty blocks."""
    torch.manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode='fan_in')
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.7, 1.3)
            nn.init.normal_(layer.bias, std=0.2)
            nn.init.normal_(layer.running_mean, std=0.2)
            nn.init.uniform_(layer.running_var, 0.7, 1.3)
    return network.eval()


def copy_by_order(source, target):
    """Hand weights over in the order of the layers; shapes and their number have to fit."""
    tensors = source.state_dict().values()
    target.load_state_dict(dict(zip(target.state_dict(), tensors, strict=True)))
    return target.eval()


# Counts


@pytest.mark.parametrize('width', COUNTS)
def test_published_counts(width, tools):
    params, madds_224, madds_320, params_fc, madds_fc, last = COUNTS[width]
    backbone = on_meta(widen_factor=width)
    assert tools.count_params(backbone) == params
    assert tools.count_madds(backbone, 224) == madds_224
    assert tools.count_madds(backbone, 320) == madds_320
    # fc(1000) on the last stage's channels: weights, and biases among the parameters.
    assert backbone.feature_info[-1]['channels'] == last
    assert params + last * 1000 + 1000 == params_fc
    assert madds_224 + last * 1000 == madds_fc


@pytest.mark.parametrize('width', COUNTS)
def test_the_ssdlite_taps_build_the_whole_backbone(width, tools):
    """The last depthwise convolution of the 1280 block counts to the backbone, as it feeds the extra levels."""
    backbone = on_meta(widen_factor=width, **SSDLITE)
    assert tools.count_params(backbone) == COUNTS[width][0]
    assert tools.count_madds(backbone, 320) == COUNTS[width][2]


@pytest.mark.parametrize('width', COUNTS)
def test_bottleneck_widths(width):
    reduced = [
        [conv.weight.shape[0] for conv in stage.modules() if isinstance(conv, nn.Conv2d) and conv.groups == 1][::2]
        for stage in on_meta(widen_factor=width).stages
    ]
    released = ReleasedNetwork(width)
    expected = [
        [conv.out_channels for conv in block.modules() if isinstance(conv, nn.Conv2d) and conv.groups == 1][0]
        for block in released.features[1:]
    ]
    assert list(itertools.chain(*reduced)) == expected
    if width == 1.0:
        assert [widths[0] for widths in reduced] == [16, 32, 32, 48, 64, 96, 160, 208]


@pytest.mark.parametrize(
    ('width', 'c4', 'c5'), [(0.35, 200, 1280), (0.5, 288, 1280), (0.75, 432, 1280), (1.0, 576, 1280), (1.4, 808, 1792)]
)
def test_ssdlite_features(width, c4, c5):
    backbone = on_meta(widen_factor=width, **SSDLITE)
    shapes = [tuple(f.shape) for f in backbone(torch.empty(2, 3, 320, 320, device='meta'))]
    assert shapes == [(2, c4, 20, 20), (2, c5, 10, 10), (2, c5, 10, 10)]


# Shapes


@pytest.mark.parametrize('size', [224, 320])
def test_the_shape_of_every_stage(size):
    features = on_meta(out_indices=range(8))(torch.empty(1, 3, size, size, device='meta'))
    assert [tuple(f.shape) for f in features] == [
        (1, c, size // s, size // s) for c, s in zip(CHANNELS, STRIDES, strict=True)
    ]


@pytest.mark.parametrize('width', COUNTS)
def test_feature_info_is_true_of_every_output(width):
    outputs = [(stage, 'block') for stage in range(8)] + [(stage, 'expansion') for stage in EXPANSION_STRIDES]
    backbone = on_meta(widen_factor=width, out_indices=[o[0] for o in outputs], taps=[o[1] for o in outputs])
    features = backbone(torch.empty(1, 3, 64, 96, device='meta'))
    for (stage, tap), info, feature in zip(outputs, backbone.feature_info, features, strict=True):
        stride = STRIDES[stage] if tap == 'block' else EXPANSION_STRIDES[stage]
        assert info == dict(channels=feature.shape[1], stride=stride, stage=stage, tap=tap)
        assert feature.shape[2:] == (64 // stride, 96 // stride)


def test_outputs_come_in_the_order_wanted():
    network = MobileNeXt(0.35, out_indices=(7, 1, 5, 1), taps=('block', 'expansion', 'expansion', 'block')).eval()
    everything = MobileNeXt(0.35, out_indices=(1, 1, 5, 7), taps=('block', 'expansion', 'expansion', 'block')).eval()
    everything.load_state_dict(network.state_dict())
    x = torch.rand(1, 3, 64, 64)
    block_1, expansion_1, expansion_5, block_7 = everything(x)
    torch.testing.assert_close(network(x), (block_7, expansion_1, expansion_5, block_1), atol=0, rtol=0)


def test_stages_after_the_last_tap_are_not_built():
    assert len(on_meta(out_indices=(4, 2)).stages) == 5


@pytest.mark.parametrize('size', [(33, 47), (75, 100)])
def test_odd_sizes_round_up(size):
    features = on_meta(out_indices=range(8))(torch.empty(1, 3, *size, device='meta'))
    for feature, stride in zip(features, STRIDES, strict=True):
        assert feature.shape[2:] == tuple(math.ceil(side / stride) for side in size)


def test_the_example():
    results = doctest.testmod(mobilenext)
    assert (results.attempted, results.failed) == (3, 0)


# The second implementation


@pytest.mark.parametrize(('width', 'alpha'), [(1.0, 1.0), (0.35, 1.0), (1.4, 1 / 6), (0.5, 1 / 3), (0.75, 0.5)])
def test_agrees_with_the_released_layout(width, alpha):
    released = scramble(ReleasedNetwork(width, alpha))
    outputs = [(stage, 'block') for stage in range(8)] + [(stage, 'expansion') for stage in EXPANSION_STRIDES]
    backbone = MobileNeXt(
        width, out_indices=[o[0] for o in outputs], taps=[o[1] for o in outputs], identity_multiplier=alpha
    )
    copy_by_order(released, backbone)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected, features = released(x), backbone(x)
        for output, feature in zip(outputs, features, strict=True):
            torch.testing.assert_close(
                feature, expected[output], atol=1e-5, rtol=1e-5, msg=lambda m, o=output: f'{o}: {m}'
            )
            assert feature.std() > 0.05  # a dead network would agree with anything
        classifier_feature = features[outputs.index((7, 'block'))].mean((2, 3))
        torch.testing.assert_close(classifier_feature, expected[7, 'block'].mean((2, 3)), atol=1e-5, rtol=1e-5)


def test_the_second_network_has_the_released_keys():
    """features.0.{0,1} and features.1..20.conv.{0..9}; so what agrees with it can read the released files."""
    keys = {key.rsplit('.', 1)[0] for key in ReleasedNetwork().state_dict()}
    assert len(ReleasedNetwork().features) == 21
    assert {key for key in keys if key.startswith('features.0.')} == {'features.0.0', 'features.0.1'}
    numbers = {int(key.split('.')[3]) for key in keys if '.conv.' in key}
    assert (min(numbers), max(numbers)) == (0, 9)


# Training


def frozen_and_free(backbone, frozen):
    """Modules of the frozen part and of the rest."""
    return [backbone.stem, *backbone.stages[: frozen + 1]], list(backbone.stages[frozen + 1 :])


@pytest.mark.parametrize('frozen', [-1, 0, 3, 7])
def test_frozen_stages(frozen):
    backbone = MobileNeXt(0.35, frozen_stages=frozen)
    backbone.train()
    fixed, free = ([], [backbone]) if frozen == -1 else frozen_and_free(backbone, frozen)
    for module in fixed:
        assert not any(p.requires_grad for p in module.parameters())
        assert not any(m.training for m in module.modules())
    for module in free:
        assert all(p.requires_grad for p in module.parameters())
        assert all(m.training for m in module.modules() if isinstance(m, _BatchNorm))

    before = {name: buffer.clone() for name, buffer in backbone.named_buffers()}
    out = backbone(torch.rand(2, 3, 64, 64))[-1]
    assert out.requires_grad == bool(free)
    moved = {name for name, buffer in backbone.named_buffers() if not torch.equal(buffer, before[name])}
    in_free = {name for name in before if any(name.startswith(f'stages.{i}.') for i in range(frozen + 1, 8))}
    assert moved == (set(before) if frozen == -1 else in_free)


def test_gradients_reach_what_is_not_frozen():
    backbone = MobileNeXt(0.35, frozen_stages=2).train()
    sum(f.square().mean() for f in backbone(torch.rand(2, 3, 64, 64))).backward()
    fixed, free = frozen_and_free(backbone, 2)
    assert all(p.grad is None for m in fixed for p in m.parameters())
    assert all(p.grad.abs().sum() > 0 for m in free for p in m.parameters() if p.ndim == 4)


def test_norm_eval():
    backbone = MobileNeXt(0.35, norm_eval=True).train()
    norms = [m for m in backbone.modules() if isinstance(m, _BatchNorm)]
    assert norms and not any(m.training for m in norms)
    assert all(p.requires_grad for p in backbone.parameters())
    assert backbone.stages[7].training


def test_eval_turns_everything_off():
    assert not any(m.training for m in MobileNeXt(0.35).train().eval().modules())


@pytest.mark.parametrize('frozen', [-1, 1])
def test_checkpointing_changes_neither_outputs_nor_gradients(frozen):
    plain, checkpointed = (
        MobileNeXt(0.35, frozen_stages=frozen, with_cp=with_cp, **SSDLITE).train() for with_cp in (False, True)
    )
    checkpointed.load_state_dict(plain.state_dict())
    x = torch.rand(2, 3, 64, 64)
    results = []
    for backbone in (plain, checkpointed):
        features = backbone(x)
        sum(f.square().mean() for f in features).backward()
        results.append((features, [p.grad for p in backbone.parameters() if p.requires_grad]))
    torch.testing.assert_close(results[0], results[1])


def test_batch_norm_has_pytorchs_defaults():
    norms = [m for m in on_meta().modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(m.eps, m.momentum) for m in norms} == {(1e-5, 0.1)}


@pytest.mark.parametrize('convert', ['torch', 'mmengine'])
def test_sync_batch_norm(convert):
    from mmengine.model import convert_sync_batchnorm

    backbone = scramble(MobileNeXt(0.35, frozen_stages=1, norm_eval=True, **SSDLITE))
    x = torch.rand(1, 3, 64, 64)
    expected = backbone(x)
    norms = [name for name, m in backbone.named_modules() if isinstance(m, nn.BatchNorm2d)]
    converter = nn.SyncBatchNorm.convert_sync_batchnorm if convert == 'torch' else convert_sync_batchnorm
    converted = converter(backbone)
    assert [name for name, m in converted.named_modules() if isinstance(m, nn.SyncBatchNorm)] == norms
    torch.testing.assert_close(converted.eval()(x), expected)
    assert not any(m.training for m in converted.train().modules() if isinstance(m, _BatchNorm))
    assert not any(p.requires_grad for p in converted.stem.parameters())


# Initialisation


def test_convolutions_start_as_the_authors_have_them():
    torch.manual_seed(0)
    backbone = MobileNeXt()
    for p in backbone.parameters():
        nn.init.constant_(p, 7)  # so that whatever is not set shows
    backbone.init_weights()
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            weight = module.weight.detach()
            out, _, k, _ = weight.shape
            std = math.sqrt(2 / (k * k * out))
            # Four standard errors of a normal sample's deviation and mean.
            n = weight.numel()
            assert weight.std().item() == pytest.approx(std, rel=4 / math.sqrt(2 * n))
            assert abs(weight.mean()) < 4 * std / math.sqrt(n)
        elif isinstance(module, nn.BatchNorm2d):
            assert torch.all(module.weight == 1) and torch.all(module.bias == 0)


def test_pretrained_weights_of_a_detector(tmp_path):
    """`prefix` picks the backbone out of a detector's file, whole or wrapped, and leaves nothing at random."""
    source = scramble(MobileNeXt(0.35))
    state = {f'backbone.{key}': value for key, value in source.state_dict().items()}
    state['bbox_head.weight'] = torch.zeros(3)
    file = tmp_path / 'detector.pth'
    torch.save(dict(state_dict=state, meta={}), file)
    backbone = MobileNeXt(0.35, init_cfg=dict(type='Pretrained', checkpoint=str(file), prefix='backbone.'))
    backbone.init_weights()
    for name, value in backbone.state_dict().items():
        assert torch.equal(value, source.state_dict()[name]), name


def test_squeeze_and_excitation_in_every_block(tools):
    ratio = 16
    plain, excited = on_meta(), on_meta(se_cfg=dict(ratio=ratio))
    depths = (1, 1, 3, 3, 4, 4, 3, 1)
    extra = sum(n * (2 * c * (c // ratio) + c // ratio + c) for c, n in zip(CHANNELS, depths, strict=True))
    assert tools.count_params(excited) - tools.count_params(plain) == extra
    assert [f.shape for f in excited(torch.empty(1, 3, 64, 64, device='meta'))] == [
        f.shape for f in plain(torch.empty(1, 3, 64, 64, device='meta'))
    ]


def test_traces():
    backbone = scramble(MobileNeXt(0.35, identity_multiplier=1 / 3, **SSDLITE))
    x, other = torch.rand(2, 1, 3, 64, 64)
    torch.testing.assert_close(torch.jit.trace(backbone, x, check_trace=False)(other), backbone(other))


def test_no_module_has_num_classes():
    """MMDetection's NumClassCheckHook compares any such attribute with the data set's classes."""
    assert isinstance(on_meta(), BaseModule)
    assert not [name for name, module in on_meta().named_modules() if hasattr(module, 'num_classes')]


# Arguments


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(out_indices=(1, 8)), 'out_indices must name stages 0 to 7, but is (1, 8).'),
        (dict(out_indices=(-1,)), 'out_indices must name stages 0 to 7, but is (-1,).'),
        (dict(out_indices=()), 'out_indices must name stages 0 to 7, but is ().'),
        (
            dict(out_indices=(1, 2), taps=('block',)),
            "taps must be one of ('block', 'expansion'), or one of them for each of 2 outputs, but is ('block',).",
        ),
        (
            dict(out_indices=(5,), taps='expand'),
            "taps must be one of ('block', 'expansion'), or one of them for each of 1 outputs, but is ('expand',).",
        ),
        *(
            (
                dict(out_indices=(stage,), taps='expansion'),
                f"stage {stage} cannot be tapped at 'expansion': its first block has no depthwise convolution after "
                "it; use 'block'.",
            )
            for stage in (4, 6)
        ),
        *(
            (dict(widen_factor=width), f'widen_factor must be more than 0, but is {width}.')
            for width in (0, -0.5, math.nan)
        ),
        (
            dict(out_indices=(1, 2, 1)),
            "out_indices and taps must name each output once, but are [(1, 'block'), (2, 'block'), (1, 'block')].",
        ),
        (
            dict(out_indices=(5, 5), taps='expansion'),
            "out_indices and taps must name each output once, but are [(5, 'expansion'), (5, 'expansion')].",
        ),
        (dict(frozen_stages=8), 'frozen_stages must be -1 to 7, but is 8.'),
        (dict(frozen_stages=-2), 'frozen_stages must be -1 to 7, but is -2.'),
        (dict(identity_multiplier=6), 'identity_multiplier must lie in [0, 1], but is 6.'),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        MobileNeXt(**arguments)
    assert str(error.value) == message


def test_the_block_can_be_chosen_and_configured():
    class Block(SandglassBlock):
        def __init__(self, colour, **kwargs):
            super().__init__(**kwargs)
            self.colour = colour

    backbone = MobileNeXt(0.35, block_cfg=dict(type=Block, colour='red'), identity_multiplier=1 / 3)
    blocks = [block for stage in backbone.stages for block in stage]
    assert {(type(block), block.colour) for block in blocks} == {(Block, 'red')}
    assert [*backbone.state_dict()] == [*MobileNeXt(0.35).state_dict()]
    assert backbone.stages[5][1].identity_channels == 200 // 3


def test_an_unknown_block():
    with pytest.raises(KeyError, match='HourglassBlock is not in the'):
        MobileNeXt(block_cfg=dict(type='HourglassBlock'))
