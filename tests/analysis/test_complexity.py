"""Counts against the published integers, against arithmetic by hooks, and against formulas for small networks."""

import copy
from pathlib import Path

import mmdet
import pytest
import torch
from mmengine.config import Config
from torch import nn

from mobilenext_det.analysis.complexity import (
    build_model,
    complexity,
    count_madds,
    input_shape,
    part_of,
    stage_of,
)
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError

CONFIGS = Path(__file__).parents[2] / 'configs'
SHIPPED = Path(mmdet.__file__).parent / '.mim' / 'configs'


def by_hooks(model, size):
    """Outputs times the weights that make one of them, for each convolution by name: without PyTorch's counter."""
    madds = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):

            def hook(conv, inputs, output, name=name):
                madds[name] = madds.get(name, 0) + output.numel() * conv.weight[0].numel()

            module.register_forward_hook(hook)
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    return madds


@pytest.mark.parametrize('config', ['ssdlite_mobilenext_toy.py', 'ssdlite_mobilenetv2_expansion_voc.py'])
def test_every_layer_against_hooks(config):
    cfg = load_config(str(CONFIGS / config))
    given = copy.deepcopy(cfg.model)
    counted = complexity(cfg, 192)
    layers, model = counted.layers, build_model(cfg, 192)
    assert cfg.model == given
    expected = by_hooks(model, 192)
    assert {layer.name: layer.madds for layer in layers} == {n.removesuffix('.conv'): m for n, m in expected.items()}
    assert sum(layer.params for layer in layers) == sum(p.numel() for p in model.parameters())
    stem = layers[0]
    assert (stem.name.split('.')[0], stem.kind.split(',')[0]) == ('backbone', '3x3')
    assert stem.params == sum(p.numel() for p in next(model.backbone.children()).parameters())
    assert sum(count.madds for count in counted.parts.values()) == 2 * sum(expected.values())


def test_the_input_is_as_large_as_the_config_says():
    assert input_shape(Config.fromfile(CONFIGS / 'ssdlite_mobilenext_toy.py')) == (192, 192)
    retinanet = Config.fromfile(SHIPPED / 'retinanet/retinanet_r18_fpn_1x_coco.py')
    assert input_shape(retinanet) == (800, 1344)  # 1333 x 800, padded to a multiple of 32
    assert input_shape(retinanet, 100) == (128, 128)


def test_a_classifier():
    cfg = Config.fromfile(CONFIGS / 'pretrain' / 'mobilenext_imagenet.py')
    assert input_shape(cfg) == (224, 224)  # what is cropped of 256
    assert input_shape(Config.fromfile(CONFIGS / 'pretrain' / 'mobilenext_cifar10.py')) == (32, 32)
    assert complexity(cfg).as_dict() == {
        'backbone': dict(params=2254416, madds=310062592),
        'neck': dict(params=0, madds=0),
        'head': dict(params=1281000, madds=1280000),
        'total': dict(params=3535416, madds=311342592),
    }


def test_priors_follow_the_size_and_refuse_what_is_too_small():
    model = build_model(Config.fromfile(CONFIGS / 'ssdlite_mobilenext_toy.py'), 224)
    assert model.bbox_head.prior_generator.input_size == 224
    with pytest.raises(ValueError, match='input_size must be 160 or more'):
        complexity(Config.fromfile(CONFIGS / 'ssdlite_mobilenext_toy.py'), 96)


def test_a_two_stage_detector(tmp_path):
    """Each of the 20 proposals passes both layers of the roi head and its two outputs, whatever the weights are."""
    path = tmp_path / 'faster_rcnn.py'
    path.write_text(
        f'_base_ = {str(SHIPPED / "faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py")!r}\n'
        "model = dict(backbone=dict(_delete_=True, type='MobileNeXt', widen_factor=0.35),\n"
        '    neck=dict(in_channels=[48, 64, 136, 1280], out_channels=8),\n'
        '    rpn_head=dict(in_channels=8, feat_channels=8),\n'
        '    roi_head=dict(bbox_roi_extractor=dict(out_channels=8),\n'
        '        bbox_head=dict(in_channels=8, fc_out_channels=16, num_classes=5)),\n'
        '    test_cfg=dict(rpn=dict(max_per_img=20)))\n'
    )
    cells = 16**2 + 8**2 + 4**2 + 2**2 + 1
    rpn = cells * (9 * 8 * 8 + 8 * 3 + 8 * 12)
    roi = 20 * (8 * 7 * 7 * 16 + 16 * 16 + 16 * 6 + 16 * 20)
    parts = complexity(Config.fromfile(path), 64).parts
    assert parts['head'].madds == rpn + roi
    lateral = 16**2 * 48 + 8**2 * 64 + 4**2 * 136 + 2**2 * 1280
    assert parts['neck'].madds == 8 * lateral + (cells - 1) * 9 * 8 * 8
    assert parts['total'].madds == sum(parts[part].madds for part in ('backbone', 'neck', 'head'))
    assert [*parts] == ['backbone', 'neck', 'head', 'total']


class Awkward(nn.Module):
    """Calls a slice of its layers, one layer twice, and multiplies matrices itself."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 5, 1, bias=False))

    def forward(self, x):
        x = self.layers[1](self.layers[:2](x))
        x = self.layers[2:](x).flatten(2)
        return x @ x.transpose(1, 2)


def test_madds_go_to_the_module_that_computes():
    madds = count_madds(Awkward(), torch.rand(1, 3, 6, 7))
    assert +madds == {'': 5 * 5 * 42, 'layers.0': 12 * 42, 'layers.1': 2 * 16 * 42, 'layers.2': 20 * 42}


def test_names():
    assert [part_of(name) for name in ('backbone.stem.conv', 'bbox_head.cls', 'rpn_head.x', 'encoder.layers.0')] == [
        *('backbone', 'head', 'head', 'encoder')
    ]
    names = {
        'backbone.stem.conv': 'backbone.stem',
        'backbone.stages.5.0.reduce.conv': 'backbone.stages.5',
        'backbone.layer6.0.linear_conv': 'backbone.layer6',
        'neck.extra_levels.0.1': 'neck.extra_levels.0',
        'backbone.stem': 'backbone.stem',
    }
    assert {name: stage_of(name) for name in names} == names


def test_what_is_missing_is_said(tmp_path):
    (tmp_path / 'data.py').write_text('batch_size = 1\n')
    with pytest.raises(UsageError, match='data.py has no model'):
        complexity(Config.fromfile(tmp_path / 'data.py'))
    (tmp_path / 'model.py').write_text("model = dict(type='SingleStageDetector')\n")
    with pytest.raises(UsageError, match='model.py does not say how large its input is: add --size'):
        complexity(Config.fromfile(tmp_path / 'model.py'))
