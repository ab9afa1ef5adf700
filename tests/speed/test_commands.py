"""The configs that are compared: what is set in them, and that all else is as its authors left it."""

import sys
from dataclasses import replace
from pathlib import Path

import mmdet
import pytest
from mmengine.config import Config

from mobilenext_det._mim import config_path
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError
from mobilenext_det.speed import commands
from mobilenext_det.speed.commands import CONFIGS, SUBJECTS, Settings, Subject, our_command, require, stock_command

STOCK_CONFIG = Path(mmdet.__file__).parent / '.mim/configs/ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py'


@pytest.fixture
def settings(toy_root):
    return Settings(toy_root, batch_size=3, size=192, workers=1)


def differences(left, right, name=''):
    """The dotted names of what differs between two settings."""
    if isinstance(left, dict) and isinstance(right, dict):
        pairs = [(key, left.get(key), right.get(key)) for key in dict.fromkeys([*left, *right])]
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = [(index, *both) for index, both in enumerate(zip(left, right, strict=True))]
    else:
        return [] if left == right else [name]
    return [found for key, *both in pairs for found in differences(*both, f'{name}.{key}'.lstrip('.'))]


def config_of(command):
    return next(argument for argument in command[2:] if argument.endswith('.py'))


def read_keys(names):
    """Leave out what mmengine does not read: names that a config uses for itself."""
    return {name for name in names if name.split('.')[0] not in UNREAD}


UNREAD = {'data_root', 'dataset_type', 'resize', 'train_pipeline', 'test_pipeline', 'voc', 'loader', 'test'}
RECORDING = {'default_hooks.logger.interval', 'default_hooks.checkpoint.interval', 'log_processor.window_size'}


def test_of_stock_only_the_data_and_what_is_shared_are_set(settings, tmp_path):
    python, tool, config = stock_command(settings, tmp_path)
    assert python == sys.executable
    assert tool == str(STOCK_CONFIG.parents[2] / 'tools' / 'train.py')
    written, own = Config.fromfile(config), Config.fromfile(STOCK_CONFIG)
    changed = read_keys(differences(own.to_dict(), written.to_dict()))
    data = 'train_dataloader.dataset.dataset'
    assert changed == RECORDING | {
        'model.bbox_head.num_classes',
        'train_dataloader.batch_size',
        'train_dataloader.num_workers',
        *(f'{data}.{key}' for key in ('type', 'data_root', 'ann_file', 'data_prefix.img', 'data_prefix.sub_data_root')),
        f'{data}.pipeline.4.scale',
        *(name for name in changed if name.startswith(('val_', 'test_'))),
    }
    assert written.train_dataloader.dataset.dataset.type == 'VOCDataset'
    assert written.train_dataloader.dataset.dataset.pipeline[4].scale == (192, 192)
    assert (written.train_dataloader.batch_size, written.train_dataloader.num_workers) == (3, 1)
    assert written.val_dataloader.dataset.data_root == settings.data_root


def test_of_stock_nothing_but_the_log_is_set_that_was_right_already(toy_root, tmp_path):
    written = Config.fromfile(config_of(stock_command(Settings(toy_root, workers=4), tmp_path)))
    own = Config.fromfile(STOCK_CONFIG)
    for key in ('optim_wrapper', 'param_scheduler', 'train_cfg', 'env_cfg', 'custom_hooks', 'visualizer'):
        assert written[key] == own[key]
    assert written.train_dataloader.dataset.dataset.pipeline == own.train_dataloader.dataset.dataset.pipeline
    assert written.train_dataloader.batch_size == own.train_dataloader.batch_size


@pytest.mark.parametrize('subject', SUBJECTS, ids=str)
def test_of_ours_only_what_is_shared_is_set(subject, settings, tmp_path):
    python, tool, config, *data = our_command(subject, settings, tmp_path)
    assert tool.endswith('/tools/train.py') and Path(tool).is_file()
    assert data == ['--data-root', settings.data_root]
    base = config_path(CONFIGS[subject.network])
    written, own = (load_config(path, data_root=settings.data_root) for path in (config, base))
    changed = read_keys(differences(own.to_dict(), written.to_dict()))
    size = {'model.bbox_head.anchor_generator.input_size', 'train_dataloader.dataset.pipeline.6.scale'}
    tests = {
        f'{phase}_dataloader.{key}' for phase in ('val', 'test') for key in ('num_workers', 'dataset.pipeline.1.scale')
    }
    scratch = {key for key in changed if key.startswith('model.backbone.init_cfg')}
    precision = {'optim_wrapper.type'} if subject.precision == 'fp32' else set()
    loader = {'train_dataloader.batch_size', 'train_dataloader.num_workers'}
    assert changed == RECORDING | size | tests | scratch | precision | loader
    assert written.model.backbone.get('init_cfg') is None
    assert written.optim_wrapper.type == ('OptimWrapper' if precision else 'AutocastOptimWrapper')


def test_without_workers_none_are_kept(toy_root, tmp_path):
    settings = Settings(toy_root, workers=0)
    for config in (
        config_of(stock_command(settings, tmp_path)),
        config_of(our_command(Subject('mobilenext'), settings, tmp_path)),
    ):
        loader = (
            load_config(config).train_dataloader if 'mobilenext' in config else Config.fromfile(config).train_dataloader
        )
        assert (loader.num_workers, loader.persistent_workers) == (0, False)


def test_several_processes_are_torchruns(settings, tmp_path):
    command = our_command(Subject('mobilenext'), settings, tmp_path, processes=2)
    assert command[1:3] == ['-m', 'torch.distributed.run'] and '--nproc_per_node=2' in command
    assert command[-2:] == ['--launcher', 'pytorch']


@pytest.mark.parametrize(
    ('changed', 'sentence'),
    [
        (dict(batch_size=0), '--batch-size 0 is too small: take 1 or more.'),
        (dict(size=128), '--size 128 is too small: take 160 or more.'),
        (dict(workers=-1), '--workers -1 is too small: take 0 or more.'),
    ],
)
def test_what_nothing_can_be_trained_with_is_refused(changed, sentence, settings):
    settings.check()
    with pytest.raises(UsageError) as error:
        replace(settings, **changed).check()
    assert str(error.value) == sentence


def test_missing_data_is_named_with_the_command_that_makes_it(tmp_path):
    with pytest.raises(UsageError) as error:
        Settings(str(tmp_path)).check()
    assert str(error.value).startswith(f'There is no {tmp_path}/VOC2007/ImageSets/Main/trainval.txt: ')
    assert '`python tools/data/make_toy_voc.py --out data/toy`' in str(error.value)


def test_subjects_are_read_as_they_are_written():
    assert list(map(str, SUBJECTS)) == ['mobilenetv2', 'mobilenext', 'mobilenetv2-fp32', 'mobilenext-fp32']
    assert tuple(Subject.parse(str(subject)) for subject in SUBJECTS) == SUBJECTS


def test_the_first_number_that_is_too_small_is_named():
    require(1, rounds=1, iterations=1)
    with pytest.raises(UsageError, match='^--iterations 0 is too small: take 1 or more.$'):
        require(1, rounds=1, iterations=0)


def test_mmdetection_without_its_tools_is_named(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(commands, '_STOCK_MIM', tmp_path)
    with pytest.raises(UsageError, match=f'^There is no {tmp_path}/configs/.*: install MMDetection with'):
        stock_command(settings, tmp_path)
