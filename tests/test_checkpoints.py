"""The checkpoints in the repository are what their names say, and fit the configs that they are for."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from matplotlib.cbook import get_sample_data
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mobilenext_det.checkpoints import mismatches
from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.engine.run_files import shipped_files
from mobilenext_det.inference.detector import Detector
from tests.fixtures.shipped import TOY_DETECTOR

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / 'checkpoints').glob('*.pth'))
PRETRAINED = ('mobilenext', 'mobilenetv2_expansion')


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.name)
def test_the_name_holds_the_digest_and_the_file_only_tensors_and_class_names(file):
    assert file.stem.rpartition('-')[2] == hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    assert file.stat().st_size < 1e7
    saved = torch.load(file, weights_only=True)
    assert set(saved) == {'meta', 'state_dict'}
    assert set(saved['meta']) == (set() if 'distilled' in file.name else {'dataset_meta'})
    assert all(isinstance(value, torch.Tensor) for value in saved['state_dict'].values())


@pytest.mark.parametrize('name', PRETRAINED)
def test_a_pretrained_backbone_fits_its_classifier_and_its_detector(name, monkeypatch):
    monkeypatch.chdir(ROOT)  # the config's path begins there
    init_default_scope('mmdet')
    model = Config.fromfile(f'configs/compare/bccd_{name}_pretrained.py').model
    weights = torch.load(model.backbone.init_cfg.checkpoint, weights_only=True)['state_dict']
    classifier = f'configs/pretrain/{name.split("_")[0]}_w050_tiny_imagenet.py'
    assert mismatches(MODELS.build(Config.fromfile(classifier).model), weights) == ([], [])
    backbone = MODELS.build(model).backbone
    backbone.init_weights()
    loaded = backbone.state_dict()
    assert all(torch.equal(loaded[key], weights[f'backbone.{key}'].to(loaded[key].dtype)) for key in loaded)


def test_taught_backbones_fit_the_configs_that_start_from_them():
    init_default_scope('mmdet')
    finetuned = (f'finetune/ssdlite_{name}_voc_10e.py' for name in ('mobilenext', 'mobilenetv2_expansion'))
    for name in (*finetuned, 'finetune/ssdlite_mobilenext_w050_voc_30e.py'):
        backbone = MODELS.build(load_config(ROOT / 'configs' / name).model).backbone
        weights = torch.load(backbone.init_cfg['checkpoint'], weights_only=True)['state_dict']
        backbone.init_weights()
        loaded = backbone.state_dict()
        assert all(torch.equal(loaded[key], weights[f'backbone.{key}'].to(loaded[key].dtype)) for key in loaded)


def test_the_detector_that_comes_along_sees_a_person_in_a_photograph():
    with get_sample_data('grace_hopper.jpg', asfileobj=True) as photograph:
        image = cv2.imdecode(np.frombuffer(photograph.read(), np.uint8), cv2.IMREAD_COLOR)
    config, checkpoint = shipped_files()
    best = Detector(load_config(config), checkpoint)(image)[0]
    assert best['class'] == 'person'
    assert best['score'] > 0.8
    left, top, right, bottom = best['box']
    assert left < 150 and top < 100 and right > 400 and bottom > 500  # she fills the picture


def test_it_finds_the_objects_of_held_out_scenes(tmp_path):
    make_toy_voc(tmp_path / 'toy', trainval=1, test=120, workers=1)
    workers = ('test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False')
    config = load_config(ROOT / 'configs' / 'ssdlite_mobilenext_toy.py', workers, tmp_path / 'toy')
    scores = evaluate(config, TOY_DETECTOR, work_dir=tmp_path / 'work').scores
    whole = json.loads((ROOT / 'docs' / 'toy_curve.json').read_text())['val'][-1]['mAP_11points']
    # The first 120 of the 500 scenes that the figure is for.
    assert scores['voc/mAP_11points'] == pytest.approx(whole, abs=0.05)
