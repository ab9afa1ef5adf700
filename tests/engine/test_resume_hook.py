import pytest
import torch

from tests.engine.test_loops import same

HOOK = {'default_hooks.resume': dict(type='ResumeHook')}
COSINE = [dict(type='CosineAnnealingLR', by_epoch=False, eta_min=0.001)]


def rates(runner):
    return runner.message_hub.get_scalar('train/lr').data[0].tolist()


@pytest.fixture
def four(tiny_runner, tmp_path):
    """The checkpoint of a run after four of its eight iterations."""
    tiny_runner(**HOOK).train()
    return str(tmp_path / 'iter_4.pth')


def test_with_the_same_config_nothing_is_said_and_nothing_changed(tiny_runner, tmp_path, four, capsys):
    whole = torch.load(tmp_path / 'iter_8.pth', weights_only=True)
    runner = tiny_runner(tmp_path / 'other', load_from=four, resume=True, **HOOK)
    runner.train()
    assert same(dict(runner.model.state_dict()), dict(whole['state_dict']))
    assert 'the config holds' not in capsys.readouterr().out


def test_another_schedule_length_and_rate_hold_and_are_said(tiny_runner, tmp_path, four, capsys):
    longer = {'param_scheduler': COSINE, 'train_cfg.max_iters': 12, 'optim_wrapper.optimizer.lr': 0.2}
    whole = tiny_runner(tmp_path / 'whole', **longer)
    whole.train()
    capsys.readouterr()
    runner = tiny_runner(tmp_path / 'resumed', load_from=four, resume=True, **HOOK, **longer)
    runner.train()
    assert rates(runner)[4:] == rates(whole)[4:]
    said = capsys.readouterr().out
    assert 'lr 0.1 -> 0.2; other schedulers): weights, iteration and the state of the optimiser are kept' in said
    assert 'from iteration 4 on the config holds, with a learning rate of 0.1' in said


def test_another_optimiser_starts_anew(tiny_runner, tmp_path, four, capsys):
    adam = dict(type='AdamW', lr=0.01, _delete_=True)
    runner = tiny_runner(tmp_path / 'resumed', load_from=four, resume=True, **HOOK, **{'optim_wrapper.optimizer': adam})
    runner.train()
    assert 'so that AdamW starts anew' in capsys.readouterr().out
    assert runner.optim_wrapper.param_groups[0]['initial_lr'] == 0.01
    assert runner.iter == 8


def test_a_finished_run_says_that_nothing_is_left(tiny_runner, tmp_path, four, capsys):
    tiny_runner(load_from=str(tmp_path / 'iter_8.pth'), resume=True, **HOOK).train()
    assert 'is at the end of its training, iteration 8 of 8' in capsys.readouterr().out


@pytest.mark.parametrize(
    'settings, reason',
    [
        ({'train_dataloader.sampler.type': 'InfiniteSampler'}, 'InfiniteSampler gives samples no seed'),
        ({'train_dataloader.dataset.pipeline': [dict(type='TinyNoise')]}, 'training pipeline is not SeedBySample'),
    ],
)
def test_what_is_not_repeated_is_said(tiny_runner, tmp_path, four, capsys, settings, reason):
    tiny_runner(tmp_path / 'resumed', load_from=four, resume=True, **HOOK, **settings).train()
    assert reason in capsys.readouterr().out
