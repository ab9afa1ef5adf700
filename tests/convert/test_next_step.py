"""The config that is named takes the weights."""

import shlex

import pytest
import torch
from mmdet.registry import MODELS

from mobilenext_det import config_path
from mobilenext_det.checkpoints import mismatches
from mobilenext_det.convert import next_step as module
from mobilenext_det.convert.layouts import find_layout, make_target
from mobilenext_det.convert.next_step import next_step
from mobilenext_det.convert.reading import Source
from mobilenext_det.convert.targets import Target
from mobilenext_det.engine.config import load_config


def target(build):
    source = Source('weights.pth', '', dict(build.network.state_dict()), {})
    return make_target(source, find_layout(source, 'auto'))


def built(config, options=()):
    config = load_config(config_path(config.removeprefix('configs/')), options)
    with torch.device('meta'):
        return config.model, MODELS.build(config.model)


@pytest.mark.parametrize('width', [0.35, 0.5, 0.75, 1.0, 1.4])
def test_the_command_for_a_backbone_of_mobilenext(width, builds):
    assert_the_command_loads_it(target(builds.authors(width)))


def test_the_command_for_a_backbone_of_mobilenetv2(builds):
    assert_the_command_loads_it(target(builds.torchvision()))


def assert_the_command_loads_it(made: Target):
    python, tool, config, option, *options = shlex.split(next_step(made, 'out.pth'))
    assert (python, tool, option) == ('python', 'tools/train.py', '--cfg-options')
    settings, model = built(config, options)
    assert settings.backbone.init_cfg == dict(type='Pretrained', checkpoint='out.pth', prefix='backbone.')
    assert mismatches(model.backbone, made.model.backbone.state_dict()) == ([], [])


@pytest.mark.parametrize(('network', 'classes'), [('MobileNeXt', 20), ('MobileNeXt', 80), ('MobileNetV2', 20)])
def test_the_command_for_a_detector(network, classes, builds):
    made = target(builds.detector(network, classes))
    python, tool, config, checkpoint = shlex.split(next_step(made, 'out.pth'))
    assert (python, tool, checkpoint) == ('python', 'tools/test.py', 'out.pth')
    assert mismatches(built(config)[1], made.model.state_dict()) == ([], [])


def test_without_a_config_of_that_size(builds):
    assert next_step(target(builds.detector(classes=3)), 'out.pth') == "load_from = 'out.pth' in a config"
    assert next_step(target(builds.torchvision(0.35)), 'out.pth') == (
        "model = dict(backbone=dict(init_cfg={'type': 'Pretrained', 'checkpoint': 'out.pth', 'prefix': 'backbone.'})) "
        'in a config'
    )


def test_every_config_named_is_there():
    for config in {*module._BACKBONES.values(), *module._DETECTORS.values()}:
        config_path(config.removeprefix('configs/'))
