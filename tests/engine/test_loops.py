import pytest
import torch
from mmdet.registry import HOOKS
from mmengine.hooks import Hook


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
