import os
import pickletools
import resource
import zipfile

import numpy as np
import pytest
import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook

from mobilenext_det.errors import UsageError


@HOOKS.register_module()
class BreakHook(Hook):
    """Break down: in the validation of iteration `val_at`, or, once `file_at` steps are done, whenever a file grows."""

    priority = 'VERY_HIGH'

    def __init__(self, val_at=None, file_at=None):
        self.val_at, self.file_at = val_at, file_at

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.val_at:
            raise KeyboardInterrupt

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.file_at:
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


@pytest.fixture(autouse=True)
def files_of_any_size():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def checkpoints(folder):
    return sorted(path.name for path in folder.glob('*.pth*'))


def curve(runner, key='val/score'):
    return runner.message_hub.get_scalar(key).data[0].tolist()


def test_checkpoints_are_read_without_a_single_exception_allowed(tiny_runner, tmp_path):
    runner = tiny_runner(custom_hooks=[dict(type='EMAHook')])
    runner.train()
    assert len(checkpoints(tmp_path)) == 5
    torch.serialization.clear_safe_globals()
    for path in tmp_path.glob('*.pth'):
        checkpoint = torch.load(path, weights_only=True)
        assert checkpoint['meta']['dataset_meta'] == dict(classes=('a', 'b', 'c'), palette=np.eye(3).tolist())
        assert checkpoint['meta']['cfg'] == runner.cfg.pretty_text
        with zipfile.ZipFile(path) as file:
            pickled = file.read(next(name for name in file.namelist() if name.endswith('data.pkl')))
        names = {argument for code, argument, _ in pickletools.genops(pickled) if code.name == 'GLOBAL'}
        assert not any('getattr' in name or 'numpy' in name or 'mmengine' in name for name in names)


def test_everything_that_was_logged_is_there_after_resuming(tiny_runner, tmp_path):
    whole = tiny_runner(tmp_path / 'whole')
    whole.train()
    first = tiny_runner(**{'custom_hooks': [dict(type='BreakHook', val_at=8)]})
    with pytest.raises(KeyboardInterrupt):
        first.train()
    resumed = tiny_runner(resume=True, load_from=str(tmp_path / 'iter_6.pth'))
    resumed.train()
    for key in ('train/loss', 'train/lr', 'val/score'):
        assert curve(resumed, key) == curve(whole, key)
    for key in ('best_score', 'iter', 'keep_ckpt_ids'):
        assert resumed.message_hub.get_info(key) == whole.message_hub.get_info(key)


@pytest.mark.parametrize('val_at', [4, 8])
def test_a_validation_that_was_cut_short_is_made_up_for(tiny_runner, tmp_path, val_at):
    whole = tiny_runner(tmp_path / 'whole')
    whole.train()
    with pytest.raises(KeyboardInterrupt):
        tiny_runner(tmp_path / 'cut', custom_hooks=[dict(type='BreakHook', val_at=val_at)]).train()
    resumed = tiny_runner(tmp_path / 'cut', resume=True)
    resumed.train()
    assert curve(resumed) == curve(whole)
    assert resumed.message_hub.get_info('best_score') == whole.message_hub.get_info('best_score')
    assert checkpoints(tmp_path / 'cut') == checkpoints(tmp_path / 'whole')


def test_a_finished_validation_is_not_repeated(tiny_runner, tmp_path):
    whole = tiny_runner()
    whole.train()
    again = tiny_runner(resume=True)
    again.train()
    assert curve(again) == curve(whole)
    assert len(curve(again)) == 2


def test_as_many_are_kept_as_asked_and_the_last_is_named(tiny_runner, tmp_path):
    tiny_runner(**{'default_hooks.checkpoint.max_keep_ckpts': 2}).train()
    assert checkpoints(tmp_path) == ['best_score_iter_8.pth', 'iter_6.pth', 'iter_8.pth']
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_8.pth')


def test_the_best_is_kept_by_its_score(tiny_runner, tmp_path):
    runner = tiny_runner(**{'train_cfg.val_interval': 1})
    runner.train()
    best = int(np.argmin(curve(runner))) + 1
    assert checkpoints(tmp_path) == [f'best_score_iter_{best}.pth', *(f'iter_{step}.pth' for step in (2, 4, 6, 8))]
    hub = torch.load(tmp_path / 'iter_8.pth', weights_only=True)['message_hub']['runtime_info']
    assert hub['best_score'] == min(curve(runner))
    assert type(hub['best_score']) is float


@pytest.mark.parametrize('keep', [-1, 1])
def test_a_disk_that_fills_up_leaves_the_last_good_checkpoint(tiny_runner, tmp_path, keep):
    settings = {'default_hooks.checkpoint.max_keep_ckpts': keep, 'train_cfg.val_interval': 100}
    with pytest.raises(OSError, match='too large'):
        tiny_runner(custom_hooks=[dict(type='BreakHook', file_at=4)], **settings).train()
    assert 'iter_4.pth' in checkpoints(tmp_path)
    assert not any(name.startswith('iter_6') for name in checkpoints(tmp_path))
    assert (tmp_path / 'last_checkpoint').read_text() == str(tmp_path / 'iter_4.pth')
    assert torch.load(tmp_path / 'iter_4.pth', weights_only=True)['meta']['iter'] == 4


def test_a_disk_that_fills_up_leaves_the_former_best(tiny_runner, tmp_path):
    settings = {'train_cfg.val_interval': 1, 'default_hooks.checkpoint.interval': 100}
    with pytest.raises(OSError, match='too large'):
        tiny_runner(custom_hooks=[dict(type='BreakHook', file_at=1)], **settings).train()
    assert checkpoints(tmp_path) == ['best_score_iter_1.pth']


def test_without_validation_nothing_is_pending(tiny_runner, tmp_path):
    tiny_runner(val_dataloader=None, val_evaluator=None, val_cfg=None).train()
    hub = torch.load(tmp_path / 'iter_8.pth', weights_only=True)['message_hub']['runtime_info']
    assert hub['pending_validation'] is False


def test_another_folder_is_used_as_mmengine_uses_it(tiny_runner, tmp_path):
    tiny_runner(tmp_path / 'logs', **{'default_hooks.checkpoint.out_dir': str(tmp_path / 'weights')}).train()
    assert 'iter_8.pth' in os.listdir(tmp_path / 'weights' / 'logs')
    assert (tmp_path / 'logs' / 'last_checkpoint').read_text() == str(tmp_path / 'weights' / 'logs' / 'iter_8.pth')


def test_a_best_of_another_metric_is_refused_before_anything_is_trained(tiny_runner):
    runner = tiny_runner(**{'default_hooks.checkpoint.save_best': 'voc/score', 'val_evaluator.prefix': 'tiny'})
    with pytest.raises(UsageError, match=r'save_best=voc/score is no score of this run, whose metrics .* tiny/'):
        runner.train()
    assert runner.iter == 0


def test_a_best_that_is_no_score_is_refused_with_those_that_are(tiny_runner):
    with pytest.raises(UsageError, match='save_best=mAP is no score of this run: set it to one of score, or to None'):
        tiny_runner(**{'default_hooks.checkpoint.save_best': 'mAP'}).train()
