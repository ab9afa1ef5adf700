from pathlib import Path

import pytest
import torch

from mobilenext_det.engine.finite_hook import _images
from mobilenext_det.errors import TrainingError

HOOK = {'default_hooks.finite': dict(type='FiniteHook', interval=3)}
ABSURD = {'optim_wrapper.optimizer.lr': 1e38}


class Sample:
    def __init__(self, name):
        self.img_path = f'folder/{name}.jpg'


def test_a_loss_that_is_no_number_stops_the_run_with_iteration_and_rate(tiny_runner):
    runner = tiny_runner(**HOOK, **ABSURD, **{'default_hooks.checkpoint.interval': 100})
    with pytest.raises(
        TrainingError, match=r'^The loss is (inf|nan) at iteration 2, at a learning rate of \S+ and with'
    ):
        runner.train()
    assert runner.iter == 2  # the interval's last


def test_nothing_of_it_is_saved_and_what_was_good_stays(tiny_runner, tmp_path):
    tiny_runner(**HOOK).train()
    before = {path.name: path.read_bytes() for path in tmp_path.glob('*.pth')}
    assert any(name.startswith('best') for name in before)
    with pytest.raises(TrainingError, match='no checkpoint is written|the training stops'):
        tiny_runner(**HOOK, **ABSURD).train()
    assert {path.name: path.read_bytes() for path in tmp_path.glob('*.pth')} == before
    last = Path((tmp_path / 'last_checkpoint').read_text())
    assert all(value.isfinite().all() for value in torch.load(last, weights_only=True)['state_dict'].values())


def test_a_weight_that_is_no_number_is_named_before_its_checkpoint_is_written(tiny_runner, tmp_path):
    runner = tiny_runner(**HOOK)
    with torch.no_grad():
        runner.model.norm.running_var.fill_(float('nan'))
    runner.model.init_weights = lambda: None
    with pytest.raises(
        TrainingError, match=r'norm.running_var is not finite after iteration 2: no checkpoint is written'
    ):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))


def test_the_images_of_a_batch_are_named_where_it_knows_them():
    assert _images(dict(data_samples=[Sample('a'), Sample('b')])) == ['a.jpg', 'b.jpg']
    assert _images(dict(data_samples=torch.zeros(2))) == _images(dict(image=1)) == _images(None) == []
