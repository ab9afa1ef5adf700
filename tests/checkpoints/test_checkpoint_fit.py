import pytest
import torch
from mmengine.runner import Runner
from torch import nn

from mobilenext_det.checkpoints import mismatches
from mobilenext_det.errors import UsageError
from tests.fixtures.tiny_network import tiny_config


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp('three_classes')
    Runner.from_cfg(tiny_config(folder)).train()
    return folder / 'iter_8.pth'


FIVE = {'model.classes': 5}


def test_mismatches_are_told_apart():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    weights = {name: value for name, value in model.state_dict().items() if 'bias' not in name}
    weights['0.weight'] = torch.zeros(4, 1, 3, 3)
    weights['other'] = torch.zeros(1)
    assert mismatches(model, weights) == (['0.weight (4, 1, 3, 3) -> (2, 1, 3, 3)'], ['0.bias', '1.bias'])
    del weights['1.num_batches_tracked']
    assert len(mismatches(model, weights)[1]) == 2


def test_loading_into_other_classes_names_the_head_and_loads_the_rest(tiny_runner, tmp_path, checkpoint):
    runner = tiny_runner(tmp_path / 'five_classes', load_from=str(checkpoint), **FIVE, **{'train_cfg.max_iters': 1})
    runner.load_or_resume()
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    assert torch.equal(runner.model.conv.weight, saved['conv.weight'])
    assert runner.model.head.weight.shape == (5, 4)
    log = next((tmp_path / 'five_classes').glob('*/*.log')).read_text()
    assert '2 parameters have another shape in the checkpoint and are left out' in log
    assert 'head.weight (3, 4) -> (5, 4)\n' in log
    assert 'head.bias (3,) -> (5,)\n' in log
    runner.train()


def test_a_run_is_not_resumed_with_another_network(tiny_runner, tmp_path, checkpoint):
    with pytest.raises(UsageError, match=r'cannot be resumed from another network.*\n  head.weight \(3, 4\)'):
        tiny_runner(tmp_path / 'five_classes', load_from=str(checkpoint), resume=True, **FIVE).train()


@pytest.mark.parametrize('lost', ['head', 'conv'])
def test_a_model_that_is_not_loaded_in_full_is_not_tested(tiny_runner, tmp_path, checkpoint, lost):
    weights = torch.load(checkpoint, weights_only=True)
    weights['state_dict'] = {key: value for key, value in weights['state_dict'].items() if lost not in key}
    torch.save(weights, tmp_path / 'part.pth')
    runner = tiny_runner(load_from=str(tmp_path / 'part.pth'))
    runner._test_dataloader, runner._test_loop, runner._test_evaluator = (
        runner.cfg.val_dataloader,
        dict(type='TestLoop'),
        runner.cfg.val_evaluator,
    )
    with pytest.raises(UsageError, match=f'does not fit the config: 2 parameters .* such as {lost}.weight'):
        runner.test()
