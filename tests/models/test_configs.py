"""The detector of every config: it is built, it detects, and it is as large as its header says."""

import re
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.structures import InstanceData

CONFIGS = Path(__file__).parents[2] / 'configs'
FILES = sorted(
    path.relative_to(CONFIGS)
    for path in CONFIGS.rglob('*.py')
    if not {'_base_', 'distill', 'pretrain', 'search'} & set(path.parts)
)
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
        del configs[name]['mobilenetv2']  # what the base is built from, and nothing reads
    for name in COMPARED[1:]:
        assert configs[name] == configs['mobilenext']
        # Head settings, priors, loss, matching and preprocessing are part of the model, and the same.
        for part in models[name].keys() - {'backbone', 'neck'}:
            assert models[name][part] == models['mobilenext'][part]
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


# The modern recipe: what each of its lines changes in the authors', by the line's comment.

MODERN, AUTHORS = 'ssdlite_mobilenext_voc0712_modern.py', 'ssdlite_mobilenext_voc0712.py'
CHANGES = {
    'box loss': 'model.bbox_head.loss_bbox',
    'matching': 'model.train_cfg.assigner',
    'augmentation': 'train_dataloader.dataset.datasets',
    'average': 'custom_hooks',
    'longer': 'train_cfg.max_iters',
    'cosine': 'param_scheduler',
}


def parts(config):
    """What a run reads of a config; not the names that it was written with."""
    names = ('model', 'train_dataloader', 'val_dataloader', 'test_dataloader', 'train_cfg', 'optim_wrapper')
    rest = ('param_scheduler', 'default_hooks', 'auto_scale_lr', 'randomness', 'val_evaluator')
    return dict({name: config[name] for name in names + rest}, custom_hooks=config.get('custom_hooks', []))


def differences(left, right, name=''):
    """Dotted names of all settings that two configs do not share; an assigner is one setting."""
    if not (isinstance(left, dict) and isinstance(right, dict)) or name == 'model.train_cfg.assigner':
        return set() if left == right else {name}
    both = left.keys() | right.keys()
    return set().union(*(differences(left.get(k), right.get(k), f'{name}.{k}'.lstrip('.')) for k in both))


def without(comment, folder):
    """The modern recipe without the line that ends in this comment."""
    lines = (CONFIGS / MODERN).read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.endswith(f'  # {comment}\n')]
    assert len(kept) == len(lines) - 1
    path = folder / 'ablation.py'
    path.write_text(''.join(kept).replace("'./", f"'{CONFIGS}/"))
    return Config.fromfile(path)


def test_the_modern_recipe_changes_what_it_says():
    assert re.findall('  # (.+)', (CONFIGS / MODERN).read_text()) == list(CHANGES)
    assert differences(parts(load(MODERN)), parts(load(AUTHORS))) == set(CHANGES.values())


@pytest.mark.parametrize('comment', CHANGES)
def test_a_change_of_the_modern_recipe_is_undone_by_deleting_its_line(comment, tmp_path):
    ablation = parts(without(comment, tmp_path))
    assert differences(ablation, parts(load(MODERN))) == {CHANGES[comment]}
    assert CHANGES[comment] not in differences(ablation, parts(load(AUTHORS)))


def test_the_modern_recipe_reaches_both_years_alike():
    modern, authors = (load(name).train_dataloader.dataset.datasets for name in (MODERN, AUTHORS))
    assert [part.ann_file for part in modern] == [part.ann_file for part in authors]
    assert modern[0].pipeline == modern[1].pipeline
    erasing = modern[0].pipeline.pop(-2)
    assert erasing.type == 'RandomErasing'
    assert modern[0].pipeline == authors[0].pipeline


def test_the_modern_recipe_on_mobilenetv2_is_the_same_recipe():
    modern = load('ssdlite_mobilenetv2_expansion_voc0712_modern.py')
    found = differences(parts(modern), parts(load(MODERN)))
    rest = {name for name in found if not name.startswith('model.backbone.')}
    assert rest == {'model.neck.block'}
    baseline = load('ssdlite_mobilenetv2_expansion_voc.py')
    assert differences(modern.model, baseline.model, 'model') == {
        'model.bbox_head.loss_bbox',
        'model.train_cfg.assigner',
    }


@pytest.mark.parametrize('name', [MODERN, 'ssdlite_mobilenetv2_expansion_voc0712_modern.py'])
def test_losses_and_gradients_of_the_modern_recipe_are_finite(name):
    torch.manual_seed(0)
    model = MODELS.build(load(name).model).train()
    samples = []
    for boxes in ([[20.0, 30, 60, 90], [100, 10, 310, 300], [5, 5, 9, 9]], []):
        sample = DetDataSample(metainfo=dict(img_shape=(320, 320), pad_shape=(320, 320)))
        sample.gt_instances = InstanceData(bboxes=torch.tensor(boxes).reshape(-1, 4), labels=torch.arange(len(boxes)))
        samples.append(sample)
    images = torch.randint(0, 256, (2, 3, 320, 320), dtype=torch.uint8)
    losses = model(**model.data_preprocessor(dict(inputs=images, data_samples=samples), True), mode='loss')
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) and loss > 0 for loss in losses.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())
