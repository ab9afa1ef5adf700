import json

import cv2
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

from mobilenext_det._mim import config_path
from mobilenext_det.demo import CONFIG, draw_photograph
from mobilenext_det.engine.config import load_config


def test_the_first_picture_of_the_demo_is_a_photograph_with_a_person(tmp_path):
    draw_photograph(str(tmp_path / 'photograph'))
    assert cv2.imread(str(tmp_path / 'photograph' / 'grace_hopper.jpg')) is not None
    found = json.loads((tmp_path / 'photograph' / 'grace_hopper.json').read_text())
    assert 'person' in [each['class'] for each in found['detections']]


def test_the_demo_starts_from_all_of_a_detector():
    config = load_config(config_path(CONFIG))
    init_default_scope('mmdet')
    network = MODELS.build(config.model)
    network.init_weights()
    saved = torch.load(config.model.init_cfg.checkpoint, weights_only=True)['state_dict']
    for name, value in network.state_dict().items():
        assert torch.equal(value, saved[name].to(value.dtype)), name
