"""A detector that starts from one of other classes and levels: its raw outputs are that one's where both know them."""

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mobilenext_det._mim import config_path
from mobilenext_det.errors import UsageError

KNOWN = ('cat', 'dog', 'person')
MINE = ('dog', 'helmet', 'cat', 'glove')


def build(classes, checkpoint=None, strides=6, width=0.35):
    """Return an initialised detector; without a checkpoint, one from scratch."""
    init_default_scope('mmdet')
    stem = 'ssdlite_mobilenext_own' + ('_stride8' if strides == 7 else '')
    model = Config.fromfile(config_path(f'own_data/{stem}.py')).model
    model.backbone.widen_factor = width
    model.bbox_head.num_classes = len(classes)
    model.init_cfg = checkpoint and dict(type='PretrainedDetector', checkpoint=str(checkpoint), classes=classes)
    network = MODELS.build(model)
    torch.manual_seed(1)
    network.init_weights()
    return network.eval()


def levels(network):
    """Return the scores of each level, (priors, classes + 1, H, W), and its box deltas, of one random image."""
    image = torch.randn(1, 3, 160, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        scores, deltas = network(image, mode='tensor')
    return [score[0].unflatten(0, (6, -1)) for score in scores], deltas


@pytest.fixture(scope='module')
def trained():
    """A detector of `KNOWN` whose every weight is its own, and keeps numbers finite."""
    network = build(KNOWN)
    torch.manual_seed(7)
    for value in network.state_dict().values():
        if value.is_floating_point():
            value.mul_(torch.rand(value.shape) * 0.2 + 0.9).add_(0.01 * torch.rand(value.shape))
    return network


@pytest.fixture(scope='module')
def file(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp('trained') / 'detector.pth'
    torch.save(dict(state_dict=trained.state_dict(), meta=dict(dataset_meta=dict(classes=KNOWN))), path)
    return path


def rewritten(file, tmp_path, change):
    saved = torch.load(file, weights_only=True)
    change(saved)
    torch.save(saved, tmp_path / file.name)
    return tmp_path / file.name


def test_of_the_same_classes_it_is_the_same_network(trained, file):
    network = build(KNOWN, file)
    for name, value in trained.state_dict().items():
        assert torch.equal(network.state_dict()[name], value), name


@pytest.mark.parametrize('strides', [6, 7])
def test_known_classes_background_and_boxes_come_out_as_before(trained, file, strides):
    (scores, deltas), (before, deltas_before) = levels(build(MINE, file, strides)), levels(trained)
    assert len(scores) == strides
    for mine, known in zip(reversed(scores), reversed(before), strict=False):
        torch.testing.assert_close(mine[:, [0, 2, 4]], known[:, [1, 0, 3]])  # dog, cat, background
    for mine, known in zip(reversed(deltas), reversed(deltas_before), strict=False):
        torch.testing.assert_close(mine, known)


def test_other_classes_start_as_from_scratch(file):
    started, scratch = build(MINE, file), build(MINE)
    for name in ('bbox_head.cls_convs.0.1.weight', 'bbox_head.cls_convs.5.0.bias'):
        rows = [network.state_dict()[name].unflatten(0, (6, 5))[:, [1, 3]] for network in (started, scratch)]
        assert torch.equal(*rows)


def test_scores_of_unknown_meaning_are_left_out(file, tmp_path):
    """Those of a file that does not say its classes, though their shapes fit."""
    nameless = rewritten(file, tmp_path, lambda saved: saved.pop('meta'))
    started, scratch = build(('a', 'b', 'c'), nameless).state_dict(), build(('a', 'b', 'c')).state_dict()
    assert torch.equal(started['bbox_head.cls_convs.5.0.weight'], scratch['bbox_head.cls_convs.5.0.weight'])
    assert not torch.equal(started['bbox_head.reg_convs.5.0.weight'], scratch['bbox_head.reg_convs.5.0.weight'])


def test_from_a_backbone_the_rest_is_from_scratch(trained, file, tmp_path):
    def only_backbone(saved):
        saved['state_dict'] = {name: value for name, value in saved['state_dict'].items() if 'backbone' in name}

    started, scratch = build(MINE, rewritten(file, tmp_path, only_backbone)).state_dict(), build(MINE).state_dict()
    for name, value in started.items():
        source = trained.state_dict() if name.startswith('backbone') else scratch
        assert torch.equal(value, source[name]), name


def test_the_log_says_what_is_new(file, caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    build(MINE, file, strides=7)
    logger.removeHandler(caplog.handler)
    assert f'tensors start from {file}. New: bbox_head.cls_convs.0.0.bn, ' in caplog.text
    assert 'cls_convs.1' not in caplog.text.partition('New: ')[2].partition('\n')[0]


def test_another_width_is_refused(file):
    with pytest.raises(UsageError, match='does not fit the backbone of the config: .* set pretrained to the file of'):
        build(MINE, file, width=0.5)


@pytest.mark.parametrize('content', [None, b''])
def test_a_file_that_is_missing_or_damaged_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / 'detector.pth').write_bytes(content)
    with pytest.raises(UsageError, match=r'detector\.pth'):
        build(MINE, tmp_path / 'detector.pth')
