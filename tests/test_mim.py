"""Inheritance: a config of another project from ours, and one that puts our backbone into MMDetection's own."""

from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from mobilenext_det import config_path

OURS = """
_base_ = [__import__('mobilenext_det').config_path('ssdlite_mobilenext_voc.py'), 'mine.py']
classes = ('cat', 'dog')
model = dict(bbox_head=dict(num_classes=len(classes)))
val_interval = _base_.train_cfg.val_interval // 2
"""
MMDETECTIONS = """
_base_ = 'mmdet::ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py'
custom_imports = dict(imports=['mobilenext_det'])
model = dict(
    backbone=dict(_delete_=True, type='MobileNeXt', out_indices=(4, 7)),
    neck=dict(in_channels=(384, 1280), out_channels=(384, 1280, 512, 256, 256, 128)),
    bbox_head=dict(in_channels=(384, 1280, 512, 256, 256, 128)))
"""


def test_path_of_a_config():
    path = Path(config_path('ssdlite_mobilenext_voc.py'))
    assert path.is_absolute()
    assert path.read_text().startswith('"""SSDLite320 on MobileNeXt')
    assert Path(config_path('_base_/default_runtime.py')).is_file()


def test_a_wrong_name_is_answered_with_the_right_ones():
    with pytest.raises(
        FileNotFoundError, match='has no config "ssdlite.py"; choose one of: .*ssdlite_mobilenext_voc.py'
    ):
        config_path('ssdlite.py')


def test_another_project_inherits_ours(tmp_path):
    (tmp_path / 'mine.py').write_text('run_name = "mine"\n')
    (tmp_path / 'config.py').write_text(OURS)
    config = Config.fromfile(tmp_path / 'config.py')
    base = Config.fromfile(config_path('ssdlite_mobilenext_voc.py'))
    assert config.run_name == 'mine'
    assert config.model.bbox_head.pop('num_classes') == 2
    assert base.model.bbox_head.pop('num_classes') == 20
    assert config.model == base.model
    assert config.val_interval == base.train_cfg.val_interval // 2
    # What a run keeps in its work directory stands alone.
    config.dump(tmp_path / 'dumped.py')
    assert '_base_' not in (tmp_path / 'dumped.py').read_text()
    assert Config.fromfile(tmp_path / 'dumped.py').model == config.model


def test_mmdetections_own_config_takes_our_backbone(tmp_path):
    (tmp_path / 'config.py').write_text(MMDETECTIONS)
    config = Config.fromfile(tmp_path / 'config.py')
    model = MODELS.build(config.model).eval()
    assert type(model.backbone).__module__ == 'mobilenext_det.models.mobilenext'
    with torch.no_grad():
        shapes = [tuple(level.shape) for level in model.extract_feat(torch.zeros(1, 3, 320, 320))]
    assert shapes == [
        (1, 384, 20, 20),
        (1, 1280, 10, 10),
        (1, 512, 5, 5),
        (1, 256, 3, 3),
        (1, 256, 2, 2),
        (1, 128, 1, 1),
    ]
