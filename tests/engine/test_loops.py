import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import HOOKS, TRANSFORMS
from mmengine.hooks import Hook

from mobilenext_det.errors import TrainingError, UsageError


class Killed(Exception):
    pass


@HOOKS.register_module()
class KillHook(Hook):
    """End the run in the middle of iteration `at`, counted from 0."""

    def __init__(self, at):
        self.at = at

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == self.at:
            raise Killed


@TRANSFORMS.register_module()
class TinyMix(BaseTransform):
    """Add another image of the data set, as MMDetection's mosaic takes others."""

    def get_indexes(self, dataset):
        return [np.random.randint(len(dataset))]

    def transform(self, results):
        results['image'] = results['image'] + results['mix_results'][0]['image']
        return results


def killed(tiny_runner, at, custom_hooks=(), **settings):
    with pytest.raises(Killed):
        tiny_runner(custom_hooks=[*custom_hooks, dict(type='KillHook', at=at)], **settings).train()


def state(runner):
    """Everything that decides how the run goes on."""
    ema = [hook.ema_model.state_dict() for hook in runner.hooks if hasattr(hook, 'ema_model')]
    schedules = [schedule.state_dict() for schedule in runner.param_schedulers]
    return dict(model=runner.model.state_dict(), optimizer=runner.optim_wrapper.state_dict(), ema=ema, lr=schedules)


def same(left, right):
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@pytest.mark.parametrize('custom_hooks', [[], [dict(type='EMAHook', momentum=0.1)]], ids=['plain', 'EMA'])
def test_a_resumed_run_sees_the_same_samples_and_ends_with_the_same_bits(tiny_runner, tmp_path, custom_hooks):
    whole = tiny_runner(tmp_path / 'whole', custom_hooks=custom_hooks)
    whole.train()
    killed(tiny_runner, at=5, custom_hooks=custom_hooks)
    resumed = tiny_runner(resume=True, custom_hooks=custom_hooks)
    resumed.train()
    assert resumed.model.seen == whole.model.seen[4:]
    assert same(state(resumed), state(whole))
    assert len(state(whole)['ema']) == len(custom_hooks)


def test_resuming_reads_no_sample_of_the_past(tiny_runner):
    killed(tiny_runner, at=7)
    resumed = tiny_runner(resume=True)
    resumed.train()
    assert resumed.train_dataloader.dataset.reads == 2 * 4


def test_the_order_is_resumed_even_if_the_run_drew_its_own_seed(tiny_runner, tmp_path):
    drawn = dict(randomness=dict(seed=None))
    killed(tiny_runner, at=5, **drawn)
    last = tmp_path / 'iter_4.pth'
    seeds, seen = [], []
    for attempt in range(2):
        runner = tiny_runner(tmp_path / str(attempt), resume=True, load_from=str(last), **drawn)
        runner.train()
        seeds.append(runner.train_dataloader.sampler.seed)
        seen.append(runner.model.seen)
    assert seeds[0] == seeds[1] == torch.load(last, weights_only=True)['meta']['seed']
    assert seen[0] == seen[1]


def test_another_sampler_is_resumed_as_mmengine_does(tiny_runner, tmp_path):
    stock = {'train_dataloader.sampler': dict(_delete_=True, type='InfiniteSampler')}
    whole = tiny_runner(tmp_path / 'whole', **stock)
    whole.train()
    killed(tiny_runner, at=5, **stock)
    resumed = tiny_runner(resume=True, **stock)
    resumed.train()
    assert resumed.model.seen == whole.model.seen[4:]
    assert resumed.train_dataloader.dataset.reads == 8 * 4


def epochs(by_epoch=True):
    return {
        'train_cfg': dict(_delete_=True, type='EpochBasedTrainLoop', max_epochs=3, val_interval=1),
        'default_hooks.checkpoint.by_epoch': by_epoch,
        'default_hooks.checkpoint.interval': 1,
    }


def test_epochs_end_and_are_resumed_to_the_bit(tiny_runner, tmp_path):
    whole = tiny_runner(tmp_path / 'whole', **epochs())
    whole.train()
    assert [len(batch) for batch in whole.model.seen] == [4, 4, 2] * 3
    passes = [sorted(sum(whole.model.seen[start : start + 3], [])) for start in (0, 3, 6)]
    assert passes == [list(range(10))] * 3
    assert whole.model.seen[:3] != whole.model.seen[3:6]
    assert whole.max_iters == 9
    killed(tiny_runner, at=4, **epochs())
    resumed = tiny_runner(resume=True, **epochs())
    resumed.train()
    assert resumed.model.seen == whole.model.seen[3:]
    assert same(state(resumed), state(whole))


def test_an_epoch_is_not_resumed_in_its_middle(tiny_runner):
    killed(tiny_runner, at=4, **epochs(by_epoch=False))
    with pytest.raises(UsageError, match='checkpoint is of iteration 4 and epoch 1, which .* ends at 3: take'):
        tiny_runner(resume=True, **epochs(by_epoch=False)).train()


def test_epochs_of_another_sampler_are_those_of_mmengine(tiny_runner):
    runner = tiny_runner(**epochs(), **{'train_dataloader.sampler': dict(_delete_=True, type='DefaultSampler')})
    runner.train()
    assert [len(batch) for batch in runner.model.seen] == [4, 4, 2] * 3


@pytest.mark.parametrize('wrapper', ['RepeatDataset', 'ClassBalancedDataset', 'ConcatDataset', 'MultiImageMixDataset'])
def test_wrapped_data_is_resumed_to_the_bit(tiny_runner, tmp_path, wrapper):
    inner = dict(type='TinyDataset', pipeline=[dict(type='SeedBySample'), dict(type='TinyNoise')])
    wrapped = dict(
        RepeatDataset=dict(dataset=inner, times=2),
        ClassBalancedDataset=dict(dataset=inner, oversample_thr=0.9),
        ConcatDataset=dict(datasets=[inner, inner]),
        MultiImageMixDataset=dict(dataset=inner, pipeline=[dict(type='TinyMix')]),
    )[wrapper]
    kind = wrapper if wrapper == 'MultiImageMixDataset' else wrapper.replace('Concat', 'mmengine.Concat')
    settings = {'train_dataloader.dataset': dict(wrapped, type=kind, _delete_=True)}
    whole = tiny_runner(tmp_path / 'whole', **settings)
    whole.train()
    killed(tiny_runner, at=5, **settings)
    resumed = tiny_runner(resume=True, **settings)
    resumed.train()
    assert same(state(resumed), state(whole))


def test_a_batch_of_one_is_explained_where_batch_norm_cannot_train_on_it(tiny_runner):
    runner = tiny_runner(**{'train_dataloader.batch_size': 1})
    runner.model.conv.register_forward_hook(lambda module, inputs, output: output.mean((2, 3), keepdim=True))
    with pytest.raises(TrainingError, match='train_dataloader.batch_size=2 or more .* or model.norm_eval=True'):
        runner.train()
