import os

import pytest

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.engine.config import load_config, require_data
from mobilenext_det.errors import UsageError

CONFIG = """
data_root = '{{$MOBILENEXT_DATA_ROOT:data/VOCdevkit}}'
batch_size = 24
size = (320, 320)
classes = ('a', 'b')
pipeline = [dict(type='Resize', scale=size)]
data = dict(data_root=data_root, metainfo=dict(classes=classes), pipeline=pipeline)
train_dataloader = dict(batch_size=batch_size, dataset=dict(ann_file='train.txt', **data))
val_dataloader = dict(
    batch_size=1, dataset=dict(datasets=[dict(ann_file='a.txt', **data), dict(dataset=dict(ann_file='b.txt', **data))])
)
auto_scale_lr = dict(base_batch_size=batch_size)
"""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv('MOBILENEXT_DATA_ROOT', 'before')


@pytest.fixture
def path(tmp_path):
    (tmp_path / 'config.py').write_text(CONFIG)
    return str(tmp_path / 'config.py')


def test_options_are_merged_as_in_mmdetection(path):
    options = ['train_dataloader.batch_size=8', 'optim_wrapper.optimizer.lr=0.1', 'load_from=x.pth']
    config = load_config(path, [*options, 'train_dataloader.dataset.metainfo.classes="(\'c\',)"'])
    assert config.train_dataloader.batch_size == 8
    assert config.optim_wrapper.optimizer.lr == 0.1
    assert config.load_from == 'x.pth'
    assert config.train_dataloader.dataset.metainfo.classes == ('c',)


@pytest.mark.parametrize('workers, persistent', [(0, False), (2, True)])
def test_workers_are_kept_only_where_there_are_some(path, workers, persistent):
    options = ['train_dataloader.persistent_workers=True', f'train_dataloader.num_workers={workers}']
    assert load_config(path, options).train_dataloader.persistent_workers is persistent


@pytest.mark.parametrize('arguments', [([], 'there'), (['data_root=there'], None), (['data_root=there'], 'elsewhere')])
def test_data_root_reaches_every_data_set(path, arguments):
    config = load_config(path, *arguments)
    assert config.train_dataloader.dataset.data_root == 'there'
    assert config.val_dataloader.dataset.datasets[0].data_root == 'there'
    assert os.environ['MOBILENEXT_DATA_ROOT'] == 'before'


def test_a_data_root_is_for_one_config_alone(path, tmp_path, monkeypatch):
    monkeypatch.delenv('MOBILENEXT_DATA_ROOT')
    load_config(path, data_root='there')
    (tmp_path / 'broken.py').write_text('1 / 0')
    with pytest.raises(ZeroDivisionError):
        load_config(tmp_path / 'broken.py', data_root='there')
    assert 'MOBILENEXT_DATA_ROOT' not in os.environ
    assert load_config(path).train_dataloader.dataset.data_root == 'data/VOCdevkit'


def test_without_a_data_root_the_environment_decides(path):
    assert load_config(path).train_dataloader.dataset.data_root == 'before'


def test_a_config_that_ignores_the_data_root_says_so(tmp_path):
    (tmp_path / 'fixed.py').write_text("data_root = 'data/mine'")
    with pytest.raises(UsageError, match=r"fixed.py does not take --data-root: .* '{{\$MOBILENEXT_DATA_ROOT:...}}'"):
        load_config(str(tmp_path / 'fixed.py'), data_root='there')


@pytest.mark.parametrize(
    'option, sentence',
    [
        (
            'batch_size=8',
            '--cfg-options batch_size=8 would change nothing: the config derives others from batch_size, change it in '
            'a copy of {path}, or set what has its value now: train_dataloader.batch_size, '
            'auto_scale_lr.base_batch_size.',
        ),
        (
            "classes=('x',)",
            "--cfg-options classes=('x',) would change nothing: the config derives others from classes, change it in "
            'a copy of {path}, or set what has its value now: train_dataloader.dataset.metainfo.classes.',
        ),
        (
            'pipeline.0.type=Pad',
            '--cfg-options pipeline.0.type=Pad would change nothing: the config derives others from pipeline, change '
            'it in a copy of {path}.',
        ),
        (
            'trian_cfg.max_iters=8',
            '--cfg-options trian_cfg.max_iters=8 would change nothing: nothing reads trian_cfg, check its spelling.',
        ),
        ('batch_size', '--cfg-options takes key=value pairs, but got batch_size.'),
    ],
)
def test_an_option_without_effect_is_refused(path, option, sentence):
    with pytest.raises(UsageError) as error:
        load_config(path, [option])
    assert str(error.value) == sentence.format(path=path)


def test_a_missing_config_is_named():
    with pytest.raises(UsageError, match=r'There is no config configs/nowhere\.py\.'):
        load_config('configs/nowhere.py')


def test_missing_lists_of_images_are_found_inside_wrappers(path, tmp_path):
    config = load_config(path, data_root=str(tmp_path))
    for name in ('train', 'a', 'b'):
        with pytest.raises(UsageError, match=f'There is no {tmp_path}/{name}.txt, the list of images in {path}: get'):
            require_data(config, 'train_dataloader', 'val_dataloader', 'test_dataloader')
        (tmp_path / f'{name}.txt').touch()
    require_data(config, 'train_dataloader', 'val_dataloader', 'test_dataloader')


def test_a_checkpoint_is_a_file_or_an_address(path):
    require_checkpoint(path)
    require_checkpoint('https://host/file.pth')
    with pytest.raises(UsageError, match=r'There is no checkpoint nowhere\.pth\.'):
        require_checkpoint('nowhere.pth')
