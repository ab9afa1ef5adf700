import pytest
import torch
from torch import nn

from mobilenext_det.engine import AutocastOptimWrapper
from mobilenext_det.hardware import has_fast_bfloat16


class Recorder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, images):
        self.output = self.conv(images)
        return self.output.float().square().mean()


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Recorder()


def test_forward_is_bfloat16_and_everything_kept_is_float32(model):
    wrapper = AutocastOptimWrapper('bfloat16', optimizer=torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    before = model.conv.weight.clone()
    with wrapper.optim_context(model):
        loss = model(torch.randn(2, 1, 5, 5))
    assert not torch.is_autocast_enabled('cpu')
    wrapper.update_params(loss)
    assert model.output.dtype == torch.bfloat16
    assert loss.dtype == model.conv.weight.dtype == torch.float32
    assert all(value['momentum_buffer'].dtype == torch.float32 for value in wrapper.state_dict()['state'].values())
    assert not torch.equal(model.conv.weight, before)


def test_gradients_accumulate_as_without_it(model):
    wrapper = AutocastOptimWrapper(
        'bfloat16', optimizer=torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=2
    )
    before = model.conv.weight.clone()
    images = torch.randn(2, 1, 5, 5)
    for changed in (False, True):
        with wrapper.optim_context(model):
            loss = model(images)
        wrapper.update_params(loss)
        assert torch.equal(model.conv.weight, before) is not changed


def test_a_run_trains_with_it(tiny_runner):
    runner = tiny_runner(**{'optim_wrapper.type': 'AutocastOptimWrapper'})
    runner.train()
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert losses[-1] < losses[0]


def test_by_itself_it_is_used_where_it_is_fast(model):
    wrapper = AutocastOptimWrapper(optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
    with wrapper.optim_context(model):
        model(torch.randn(2, 1, 5, 5))
    assert (model.output.dtype == torch.bfloat16) is has_fast_bfloat16('cpu')


def test_another_type_is_refused(model):
    with pytest.raises(ValueError, match="'float16'; OptimWrapper trains in float32"):
        AutocastOptimWrapper('float16', optimizer=torch.optim.SGD(model.parameters(), lr=0.1))
