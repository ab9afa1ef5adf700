"""The model of every config: it is built, it detects, and it is as large as its header says."""

import re
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config

CONFIGS = Path(__file__).parents[2] / 'configs'
FILES = sorted(path.relative_to(CONFIGS) for path in CONFIGS.rglob('*.py') if '_base_' not in path.parts)
COMPARED = ('mobilenext', 'mobilenetv2_block', 'mobilenetv2_expansion')


def load(path):
    return Config.fromfile(CONFIGS / path)


@pytest.mark.parametrize('path', FILES, ids=str)
def test_the_model_detects(path):
    torch.manual_seed(0)
    config = load(path)
    size, classes = config.model.bbox_head.anchor_generator.input_size, config.model.bbox_head.num_classes
    model = MODELS.build(config.model).eval()
    sample = DetDataSample(metainfo=dict(img_shape=(size, size), ori_shape=(size, size), scale_factor=(1.0, 1.0)))
    image = torch.randint(0, 256, (3, size, size), dtype=torch.uint8)
    with torch.no_grad():
        (result,) = model.test_step(dict(inputs=[image], data_samples=[sample]))
    assert 0 < len(result.pred_instances) <= 100
    assert torch.isfinite(result.pred_instances.bboxes).all()
    assert result.pred_instances.labels.max() < classes


@pytest.mark.parametrize('path', FILES, ids=str)
def test_the_header_counts_right(path, tools):
    text = (CONFIGS / path).read_text()
    stated = re.findall(r'(\d+) parameters, (\d+) multiply-adds at (\d+) pixels', text)
    if path.parts[0] in ('ablations', 'compare'):
        assert len(stated) == 1
    for params, madds, size in stated:
        config = load(path)
        with torch.device('meta'):
            model = MODELS.build(config.model)
        assert tools.count_params(model) == int(params)
        assert tools.count_madds(model, int(size)) == int(madds)
        assert config.model.bbox_head.anchor_generator.input_size == int(size)


@pytest.mark.parametrize('data', ['toy', 'bccd'])
def test_a_comparison_differs_in_the_model_alone(data):
    configs = {name: load(f'compare/{data}_{name}.py').to_dict() for name in COMPARED}
    models = {name: config.pop('model') for name, config in configs.items()}
    for name in COMPARED[1:]:
        assert configs[name] == configs['mobilenext']
        # Head settings, priors, loss, matching and preprocessing are part of the model, and the same.
        for part in models[name].keys() - {'backbone', 'neck', 'bbox_head'}:
            assert models[name][part] == models['mobilenext'][part]
        heads = [dict(models[n]['bbox_head'], in_channels=None) for n in (name, 'mobilenext')]
        assert heads[0] == heads[1]
    assert [models[name]['backbone'].get('tap') for name in COMPARED] == [None, 'block', 'expansion']
    for name in COMPARED:
        backbone = models[name]['backbone']
        assert backbone['widen_factor'] == 0.5 and backbone['zero_init_residual'] is True
        assert models[name]['bbox_head']['anchor_generator']['input_size'] == 192
    resizes = [
        tuple(step['scale'])
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader')
        for step in configs['mobilenext'][loader]['dataset']['pipeline']
        if step['type'] == 'Resize'
    ]
    assert resizes == [(192, 192)] * 3


@pytest.mark.parametrize('data', ['toy', 'bccd'])
def test_a_comparison_follows_its_data_sets_recipe(data):
    """Whatever is tuned there is tuned here."""
    recipe = load(f'ssdlite_mobilenext_{data}.py').to_dict()
    compared = load(f'compare/{data}_mobilenetv2_block.py').to_dict()
    for key in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'val_evaluator', 'default_hooks', 'data_root'):
        assert compared[key] == recipe[key], key
    assert compared['train_dataloader']['batch_size'] == recipe['train_dataloader']['batch_size']
    assert compared['train_dataloader']['dataset']['ann_file'] == recipe['train_dataloader']['dataset']['ann_file']
