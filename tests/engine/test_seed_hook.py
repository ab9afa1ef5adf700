import pytest
import torch

from mobilenext_det.engine import SeedIterationHook

HOOK = [dict(type='SeedIterationHook')]


@pytest.fixture
def draws(tiny_runner, monkeypatch):
    """What a network would draw in each training iteration of a run."""

    def run(draw_before=0, **settings):
        runner, drawn = tiny_runner(**settings), []
        forward = type(runner.model).forward

        def watched(model, *args, mode='tensor', **kwargs):
            if mode == 'loss':
                drawn.append(torch.rand(1).item())
            return forward(model, *args, mode=mode, **kwargs)

        torch.rand(draw_before)
        with monkeypatch.context() as patch:
            patch.setattr(type(runner.model), 'forward', watched)
            runner.train()
        return drawn

    return run


def test_draws_depend_on_the_seed_and_the_iteration_alone(draws):
    first, again = draws(custom_hooks=HOOK), draws(7, custom_hooks=HOOK)
    assert first == again
    assert len(set(first)) == len(first) == 8
    assert draws(custom_hooks=HOOK, randomness=dict(seed=4)) != first


def test_a_resumed_run_draws_what_the_whole_one_draws(draws, tmp_path):
    whole = draws(custom_hooks=HOOK, work_dir=tmp_path / 'run')
    resumed = draws(
        custom_hooks=HOOK, work_dir=tmp_path / 'run', resume=True, load_from=str(tmp_path / 'run' / 'iter_4.pth')
    )
    assert resumed == whole[4:]


def test_processes_draw_differently(monkeypatch):
    class Runner:
        seed, iter = 3, 5

    drawn = []
    for rank in (0, 1):
        monkeypatch.setattr('mobilenext_det.engine.seed_hook.get_rank', lambda rank=rank: rank)
        SeedIterationHook().before_train_iter(Runner, 0)
        drawn.append(torch.rand(1).item())
    assert drawn[0] != drawn[1]
