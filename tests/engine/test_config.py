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


def test_without_a_data_root_the_environment_decides(path):
    assert load_config(path).train_dataloader.dataset.data_root == 'before'


def test_data_sets_with_a_folder_of_their_own_are_moved_with_their_annotations(tmp_path):
    (tmp_path / 'own.py').write_text(
        "train_dataloader = dict(dataset=dict(data_root='data/mine/', ann_file='train.json'))\n"
        "val_dataloader = dict(dataset=dict(dataset=dict(data_root='data/mine/')))\n"
        "val_evaluator = dict(type='CocoMetric', ann_file='data/mine/val.json')\n"
    )
    config = load_config(tmp_path / 'own.py', data_root='there')
    assert config.train_dataloader.dataset.data_root == 'there'
    assert config.val_dataloader.dataset.dataset.data_root == 'there'
    assert config.val_evaluator.ann_file == 'there/val.json'


@pytest.mark.parametrize(
    'dataset, keys',
    [
        (
            "datasets=[dict(data_root='a'), dict(data_root='b')]",
            'datasets.0.data_root, train_dataloader.dataset.datasets.1',
        ),
        ("ann_file='relative/train.txt'", 'data_root'),
        ("data_root='a', ann_file='/absolute/train.txt'", 'ann_file'),
    ],
)
def test_where_a_data_root_cannot_act_the_key_is_named(tmp_path, dataset, keys):
    (tmp_path / 'own.py').write_text(f'train_dataloader = dict(dataset=dict({dataset}))')
    with pytest.raises(UsageError, match=f'--data-root there cannot .*own.py: set train_dataloader.dataset.{keys}'):
        load_config(tmp_path / 'own.py', data_root='there')


def test_an_option_at_the_top_acts_on_all_that_derives_from_it(path):
    config = load_config(path, ['batch_size=8', "classes=('x',)", 'train_dataloader.batch_size=2'])
    assert config.auto_scale_lr.base_batch_size == 8
    assert config.train_dataloader.batch_size == 2
    assert config.val_dataloader.dataset.datasets[0].metainfo.classes == ('x',)


@pytest.mark.parametrize(
    'option, sentence',
    [
        (
            'pipeline.0.type=Pad',
            '--cfg-options pipeline.0.type=Pad would change nothing: the config derives others from pipeline, change '
            'it in a copy of {path}.',
        ),
        (
            'trian_cfg.max_iters=8',
            '--cfg-options trian_cfg.max_iters=8 would change nothing: nothing reads it, check its spelling.',
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


def test_a_list_of_annotation_files_is_refused_with_the_wrapper_that_takes_several(tmp_path):
    (tmp_path / 'own.py').write_text("train_dataloader = dict(dataset=dict(ann_file=['a.txt', 'b.txt']))")
    with pytest.raises(UsageError, match=r"dataset.ann_file of .* is \['a.txt', .* dict\(type='Concat"):
        require_data(load_config(tmp_path / 'own.py'), 'train_dataloader')
