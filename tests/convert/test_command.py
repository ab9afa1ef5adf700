"""A converted file computes what its source computed, says what it was made of, and loads as any checkpoint does."""

import hashlib

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from torch import nn

from mobilenext_det import config_path
from mobilenext_det.convert import KINDS, convert_weights
from mobilenext_det.errors import UsageError
from mobilenext_det.models import MobileNeXt, TappedMobileNetV2
from mobilenext_det.models.ssdlite_head import flatten_levels

CLOSE = dict(atol=1e-5, rtol=1e-5)
WRAPPERS = {
    'bare': lambda state: state,
    'state_dict': lambda state: dict(epoch=200, arch='mobilenext', state_dict=state, optimizer=dict(state={})),
    'DataParallel': lambda state: dict(state_dict={f'module.{key}': value for key, value in state.items()}),
}


def backbone(kind, width, file):
    """Our backbone with the file's weights, as a config's `init_cfg` loads them."""
    init_cfg = dict(type='Pretrained', checkpoint=str(file), prefix='backbone.')
    if kind == 'mobilenext-official':
        network = MobileNeXt(width, out_indices=(5, 7, 7), taps=('expansion', 'expansion', 'block'), init_cfg=init_cfg)
    else:
        network = TappedMobileNetV2('expansion', widen_factor=width, init_cfg=init_cfg)
    network.init_weights()
    return network.eval()


def assert_computes_the_same(build, file, width):
    """Both taps and the classes' scores."""
    x = torch.randn(2, 3, 64, 64)
    saved = torch.load(file, weights_only=True)
    with torch.no_grad():
        c4, c5, scores = build.outputs(x)
        features = backbone(build.kind, width, file)(x)
        torch.testing.assert_close(features[:2], (c4, c5), **CLOSE)
        head = saved['state_dict']['head.fc.weight'], saved['state_dict']['head.fc.bias']
        torch.testing.assert_close(nn.functional.linear(features[-1].mean((2, 3)), *head), scores, **CLOSE)
    # A dead network would agree with anything.
    assert min(c4.std(), c5.std(), scores.std()) > 0.05


@pytest.mark.parametrize('wrapper', WRAPPERS)
@pytest.mark.parametrize('kind', ['mobilenext-official', 'torchvision', 'mmpretrain'])
def test_a_classifier(kind, wrapper, builds, tmp_path):
    build = builds.classifiers[kind](width=0.35)
    torch.save(WRAPPERS[wrapper](build.network.state_dict()), tmp_path / 'source.pth')
    convert_weights(str(tmp_path / 'source.pth'), str(tmp_path / 'out.pth'), kind)
    assert_computes_the_same(build, tmp_path / 'out.pth', width=0.35)


@pytest.mark.parametrize('width', [0.5, 0.75, 1.0, 1.4])
@pytest.mark.parametrize('kind', ['mobilenext-official', 'torchvision'])
def test_every_width_is_found_out(kind, width, builds, tmp_path):
    build = builds.classifiers[kind](width=width)
    torch.save(build.network.state_dict(), tmp_path / 'source.pth')
    convert_weights(str(tmp_path / 'source.pth'), str(tmp_path / 'out.pth'))
    assert_computes_the_same(build, tmp_path / 'out.pth', width)


@pytest.mark.parametrize('protocol', [2, 4])
@pytest.mark.parametrize('kind', ['mobilenext-official', 'torchvision'])
def test_a_file_of_paddle(kind, protocol, builds, tmp_path):
    build = builds.classifiers[kind](width=0.35)
    source = builds.save_paddle(build.network, tmp_path / 'source.pdparams', protocol)
    convert_weights(str(source), str(tmp_path / 'out.pth'))
    assert torch.load(tmp_path / 'out.pth', weights_only=True)['meta']['kind'] == 'paddle'
    assert_computes_the_same(build, tmp_path / 'out.pth', width=0.35)


@pytest.mark.parametrize(
    ('network', 'config', 'classes'),
    [
        ('MobileNeXt', 'ssdlite_mobilenext_voc.py', 20),
        ('MobileNeXt', 'ssdlite_mobilenext_coco.py', 80),
        ('MobileNetV2', 'ssdlite_mobilenetv2_voc.py', 20),
    ],
)
def test_a_detector(network, config, classes, builds, tmp_path):
    """Every prior has the same deltas and the same scores, the background's last."""
    build = builds.detector(network, classes)
    state = {f'module.{key}': value for key, value in build.network.state_dict().items()}
    torch.save(dict(model=state, optimizer=dict(state={}), iteration=60000), tmp_path / 'source.pth')
    convert_weights(str(tmp_path / 'source.pth'), str(tmp_path / 'out.pth'))
    detector = MODELS.build(Config.fromfile(config_path(config)).model)
    detector.load_state_dict(torch.load(tmp_path / 'out.pth', weights_only=True)['state_dict'])
    x = torch.randn(2, 3, 320, 320)
    with torch.no_grad():
        scores, deltas = build.outputs(x)
        our_scores, our_deltas = detector.eval()(x, mode='tensor')
    assert scores.shape == (2, 3234, classes + 1)
    expected = torch.cat([scores[..., 1:], scores[..., :1]], -1)
    torch.testing.assert_close(flatten_levels(our_scores, classes + 1), expected, **CLOSE)
    torch.testing.assert_close(flatten_levels(our_deltas, 4), deltas, **CLOSE)
    assert min(scores.std(), deltas.std()) > 0.05


def test_the_file_says_what_it_was_made_of(builds, tmp_path):
    source, out = tmp_path / 'mnext.pth.tar', tmp_path / 'new' / 'folder' / 'out.pth'
    torch.save(builds.authors(0.35).network.state_dict(), source)
    convert_weights(str(source), str(out))
    saved = torch.load(out, weights_only=True)
    assert saved.keys() == {'meta', 'state_dict'}
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert saved['meta'] == dict(kind='mobilenext-official', source='mnext.pth.tar', sha256=digest)
    assert {key.split('.')[0] for key in saved['state_dict']} == {'backbone', 'head'}
    assert [path.name for path in out.parent.iterdir()] == ['out.pth']


def test_the_tables_account_for_everything(builds, tmp_path, capsys):
    source = dict(state_dict=builds.authors().network.state_dict(), epoch=199, best_acc1=torch.tensor(74.0))
    torch.save(source, tmp_path / 'source.pth')
    convert_weights(str(tmp_path / 'source.pth'), str(tmp_path / 'out.pth'))
    text = ' '.join(capsys.readouterr().out.split())
    assert 'source.pth: MobileNeXt of width 1 (mobilenext-official)' in text
    # 74 convolutions, and as many batch norms with five tensors each.
    assert '│ backbone │ 444 │ 2254416 │' in text
    assert '│ head │ 2 │ 8967 │' in text
    for name in ('epoch', 'best_acc1'):
        assert f'│ {name} │ not in the file\'s "state_dict" │' in text
    assert f'Written: {tmp_path}/out.pth. Next: python tools/train.py configs/ssdlite_mobilenext_voc.py' in text


def test_a_source_is_not_written_over(builds, tmp_path):
    torch.save(builds.authors(0.35).network.state_dict(), tmp_path / 'source.pth')
    before = (tmp_path / 'source.pth').read_bytes()
    with pytest.raises(UsageError, match=r'source\.pth is the source itself: name another file to write\.$'):
        convert_weights(str(tmp_path / 'source.pth'), str(tmp_path / 'source.pth'))
    assert (tmp_path / 'source.pth').read_bytes() == before


def test_nothing_is_written_where_the_source_is_refused(builds, tmp_path):
    state = builds.authors(0.35).network.state_dict()
    del state['features.3.conv.0.weight']
    torch.save(state, tmp_path / 'source.pth')
    with pytest.raises(UsageError):
        convert_weights(str(tmp_path / 'source.pth'), str(tmp_path / 'out.pth'))
    assert not (tmp_path / 'out.pth').exists()


def test_torchvisions_weights_become_what_init_cfg_makes_of_them(builds, tmp_path):
    """`TappedMobileNetV2` reads such files itself; there is one mapping."""
    source = builds.torchvision(0.35).network.state_dict()
    torch.save(source, tmp_path / 'source.pth')
    convert_weights(str(tmp_path / 'source.pth'), str(tmp_path / 'out.pth'))
    network = TappedMobileNetV2(widen_factor=0.35)
    network.load_state_dict(dict(source))
    converted = torch.load(tmp_path / 'out.pth', weights_only=True)['state_dict']
    for name, value in network.state_dict().items():
        assert torch.equal(converted[f'backbone.{name}'], value), name


def test_the_kinds():
    assert KINDS == ('mobilenext-official', 'mobilenext-ssdlite-official', 'torchvision', 'mmpretrain', 'paddle')
