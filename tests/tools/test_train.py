import json
import re
import socket
import subprocess

import pytest
import torch

from tests.fixtures.work_dirs import killed, losses, same


def test_a_run_killed_twice_ends_with_the_bits_of_the_uninterrupted_one(tools, toy_root, trained, tmp_path):
    arguments = ['train.py', tools.config, '--data-root', toy_root, '--work-dir', tmp_path, '--resume', *tools.short]
    for workers, iteration, last in ((0, 3, 'iter_2.pth'), (2, 5, 'iter_4.pth')):
        process = tools.start(*arguments, f'train_dataloader.num_workers={workers}')
        assert killed(process, tmp_path, iteration) == -9
        assert (tmp_path / last).exists()
        assert not (tmp_path / 'iter_8.pth').exists()
    resumed = tools(*arguments, 'train_dataloader.num_workers=2')
    assert resumed.returncode == 0, resumed.stderr
    assert losses(tmp_path) == losses(trained)
    ends = [torch.load(folder / 'iter_8.pth', weights_only=True) for folder in (trained, tmp_path)]
    for part in ('state_dict', 'optimizer', 'param_schedulers'):
        assert same(ends[0][part], ends[1][part]), part
    for key in ('train/loss', 'train/lr', 'val/voc/mAP_11points'):
        assert same(*(end['message_hub']['log_scalars'][key]['log_history'].tolist() for end in ends))
    assert same(*(end['message_hub']['runtime_info']['best_score'] for end in ends))


def test_the_modern_recipe_resumes_bit_for_bit_too(tools, toy_root, tmp_path):
    """Its lines, on the toy set and short: matching, box loss, erasing, the average of the weights, the cosine."""
    recipe = (tools.root / 'configs' / 'ssdlite_mobilenext_voc0712_modern.py').read_text()
    for there, here in (
        ('./ssdlite_mobilenext_voc0712.py', str(tools.config)),
        ('./_base_/moving_average.py', str(tools.root / 'configs' / '_base_' / 'moving_average.py')),
        ('_base_.train_dataloader.dataset.datasets', '[_base_.train_dataloader.dataset]'),
        ('dict(datasets=datasets)', 'datasets[0]'),
    ):
        assert recipe.count(there) == 1
        recipe = recipe.replace(there, here)
    config = tmp_path / 'modern.py'
    config.write_text(recipe)
    folders = tmp_path / 'whole', tmp_path / 'killed'
    short = ('param_scheduler.0.end=3', 'param_scheduler.1.begin=3', 'custom_hooks.0.gamma=2')
    whole, resumed = (
        ['train.py', config, '--data-root', toy_root, '--work-dir', folder, '--resume', *tools.short, *short]
        for folder in folders
    )
    assert killed(tools.start(*resumed), folders[1], 5) == -9
    for arguments in (whole, resumed):
        result = tools(*arguments)
        assert result.returncode == 0, result.stderr
    assert losses(folders[0]) == losses(folders[1])
    ends = [torch.load(folder / 'iter_8.pth', weights_only=True) for folder in folders]
    for part in ('state_dict', 'ema_state_dict', 'optimizer', 'param_schedulers'):
        assert same(ends[0][part], ends[1][part]), part
    averaged, latest = ends[0]['state_dict'], ends[0]['ema_state_dict']
    assert not same(averaged, {name: latest[f'module.{name}'] for name in averaged})
    assert ends[0]['param_schedulers'][1]['T_max'] == 5


def pretrain(tools, data_root, work_dir, *options):
    config = tools.root / 'configs' / 'pretrain' / 'mobilenext_cifar10.py'
    network = ('model.num_classes=2', 'model.backbone.widen_factor=0.35')
    warmup = ('param_scheduler.0.end=3', 'param_scheduler.1.begin=3')
    arguments = ['train.py', config, '--data-root', data_root, '--work-dir', work_dir, '--resume', *tools.short[:-1]]
    return [*arguments, *network, *warmup, *options]


@pytest.fixture(scope='session')
def pretrained(shared, tools, image_folders):
    """The work dir of a classifier of eight iterations."""

    def train(folder):
        result = tools(*pretrain(tools, image_folders, folder))
        assert result.returncode == 0, result.stderr

    return shared('pretrained', train)


def test_interrupted_pretraining_ends_with_the_bits_of_the_uninterrupted_one(
    tools, image_folders, pretrained, tmp_path
):
    """Crops, flips and dropout are drawn, with and without workers."""
    arguments = pretrain(tools, image_folders, tmp_path, 'train_dataloader.num_workers=2')
    assert killed(tools.start(*arguments), tmp_path, 5) == -9
    assert not (tmp_path / 'iter_8.pth').exists()
    result = tools(*arguments)
    assert result.returncode == 0, result.stderr
    assert losses(tmp_path) == losses(pretrained)
    ends = [torch.load(folder / 'iter_8.pth', weights_only=True) for folder in (pretrained, tmp_path)]
    for part in ('state_dict', 'optimizer', 'param_schedulers'):
        assert same(ends[0][part], ends[1][part]), part
    assert same(*(end['message_hub']['runtime_info']['best_score'] for end in ends))
    assert ends[0]['meta']['dataset_meta']['classes'] == ('dark', 'light')


def test_a_detector_starts_from_a_classifiers_checkpoint(tools, toy_root, pretrained, tmp_path):
    """The weights of its first checkpoint, at a rate of nothing, are the classifier's; only statistics move."""
    checkpoint = pretrained / 'iter_8.pth'
    start = [f'model.backbone.init_cfg.{key}={value}' for key, value in (
        ('type', 'Pretrained'), ('checkpoint', checkpoint), ('prefix', 'backbone.'))]  # fmt: skip
    arguments = ['train.py', tools.config, '--data-root', toy_root, '--work-dir', tmp_path, *tools.short]
    assert tools.main(*arguments, *start, 'train_cfg.max_iters=2', 'optim_wrapper.optimizer.lr=0') == 0
    detector = torch.load(tmp_path / 'iter_2.pth', weights_only=True)['state_dict']
    classifier = torch.load(checkpoint, weights_only=True)['state_dict']
    names = [name for name in detector if name.startswith('backbone.') and name.endswith(('weight', 'bias'))]
    assert len(names) == 222
    assert all(torch.equal(detector[name], classifier[name]) for name in names)


def test_a_classifier_is_evaluated_by_the_same_tool(tools, image_folders, pretrained, tmp_path):
    config = tools.root / 'configs' / 'pretrain' / 'mobilenext_cifar10.py'
    options = ('test_dataloader.num_workers=0', 'model.num_classes=2', 'model.backbone.widen_factor=0.35')
    folders = ('--data-root', image_folders, '--work-dir', tmp_path)
    arguments = (*folders, '--cfg-options', *options, 'test_evaluator.topk=[1,2]')
    assert tools.main('test.py', config, pretrained / 'iter_8.pth', *arguments) == 0
    (log,) = tmp_path.glob('*/*.log')
    assert 'accuracy/top2: 1.0000' in log.read_text()


def test_two_processes_pretrain_one_model(tools, image_folders, tmp_path):
    """Every image once in two iterations of two times four, and the curve of validation is that of all images."""
    _, config, *arguments = pretrain(tools, image_folders, tmp_path / 'run', 'custom_hooks=[]')
    result = subprocess.run(
        ['bash', str(tools.root / 'tools' / 'dist_train.sh'), str(config), '2', *map(str, arguments)],
        env={**tools.env, 'PORT': str(free_port())},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert sorted(losses(tmp_path / 'run')) == list(range(1, 9))
    scores = re.findall(r'Iter\(val\).*accuracy/top5: ([0-9.]+)', result.stdout + result.stderr)
    assert scores == ['1.0000', '1.0000']


def test_missing_images_are_said_in_a_sentence(tools, tmp_path, capsys):
    config = tools.root / 'configs' / 'pretrain' / 'mobilenext_imagenet.py'
    assert tools.main('train.py', config, '--data-root', tmp_path) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f'There is no {tmp_path}/train, the images of {config}: docs/pretraining.md says how they are laid out; '
        '--data-root names another folder.'
    )


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return free.getsockname()[1]


RANK_RECORDER = """
from pathlib import Path
import torch
from mmdet.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook

@HOOKS.register_module()
class RankRecorder(Hook):
    def before_run(self, runner):
        self.seen = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen += [sample.img_id for sample in data_batch['data_samples']]

    def after_train(self, runner):
        weights = dict(runner.model.module.named_parameters())
        torch.save(dict(weights=weights, seen=self.seen), Path(runner.work_dir) / f'rank_{get_rank()}.pth')
"""
TWO_PROCESSES = """
_base_ = '{base}'
custom_imports = dict(imports=['mobilenext_det', 'rank_recorder'])
custom_hooks = [dict(type='RankRecorder')]
sync_bn = 'torch'
optim_wrapper = dict(optimizer=dict(lr=0.9))
"""


def test_two_processes_train_one_model(tools, toy_root, tmp_path):
    (tmp_path / 'rank_recorder.py').write_text(RANK_RECORDER)
    (tmp_path / 'two.py').write_text(TWO_PROCESSES.format(base=tools.config))
    work_dir = tmp_path / 'run'
    result = subprocess.run(
        ['bash', str(tools.root / 'tools' / 'dist_train.sh'), str(tmp_path / 'two.py'), '2', '--amp', '--auto-scale-lr']
        + ['--data-root', str(toy_root), '--work-dir', str(work_dir), *tools.short],
        env={**tools.env, 'PYTHONPATH': str(tmp_path), 'PORT': str(free_port())},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    ranks = [torch.load(work_dir / f'rank_{rank}.pth', weights_only=True) for rank in (0, 1)]
    assert same(ranks[0]['weights'], ranks[1]['weights'])
    order = [name for pair in zip(ranks[0]['seen'], ranks[1]['seen'], strict=True) for name in pair]
    epochs = [set(order[start : start + 12]) for start in range(0, 60, 12)]
    assert [len(epoch) for epoch in epochs] == [12] * 5
    assert epochs[0] == epochs[4]
    curve = losses(work_dir)
    assert sum(curve[step] for step in (6, 7, 8)) < sum(curve[step] for step in (1, 2, 3))
    rates = [json.loads(line).get('lr') for line in next(work_dir.glob('*/vis_data/scalars.json')).open()]
    assert rates[0] == pytest.approx(0.9 * 0.01 * 8 / 24)
    dumped = (work_dir / 'two.py').read_text()
    assert "type='AutocastOptimWrapper'" in dumped
    assert 'sync_bn' not in dumped
    assert 'batch norm is not synchronised' in result.stdout + result.stderr


def test_what_is_missing_is_said_in_a_sentence(tools, tmp_path, capsys):
    assert tools.main('train.py', tools.config, '--data-root', tmp_path) == 2
    sentence = capsys.readouterr().err.splitlines()[-1]
    assert sentence.startswith(f'There is no {tmp_path}/VOC2007/ImageSets/Main/trainval.txt')
    assert '`python tools/data/download_voc.py --out data/VOCdevkit`' in sentence
    assert '`python tools/data/make_toy_voc.py --out data/toy` and add `--data-root data/toy`' in sentence


@pytest.mark.parametrize('name', ['train.py', 'test.py', 'detect.py', 'export.py', 'publish.py'])
def test_help_comes_before_any_heavy_import(name, tools):
    command = tools.command(name, '--help')
    result = subprocess.run([command[0], '-X', 'importtime', *command[1:]], capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout.startswith(f'usage: {name}')
    imported = {line.rsplit('|')[-1].strip().split('.')[0] for line in result.stderr.splitlines()}
    assert 'argparse' in imported
    assert not imported & {'torch', 'numpy', 'cv2', 'mmcv', 'mmdet', 'mmengine', 'rich'}
