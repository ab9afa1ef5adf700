import pytest
import torch
from mmengine.config import Config

from mobilenext_det.engine.precision import ask_for_lower_precision, forward_dtype, training_dtype
from mobilenext_det.hardware import has_fast_bfloat16

HERE = 'cuda' if torch.cuda.is_available() else 'cpu'
LOWER = torch.float16 if HERE == 'cuda' else torch.bfloat16
FAST = torch.bfloat16 if has_fast_bfloat16(HERE) else torch.float32


def config(accelerate=True, **wrapper):
    return Config(dict(optim_wrapper=wrapper, default_hooks=dict(acceleration=dict(enabled=accelerate))))


def test_by_itself_it_is_what_is_fast_unless_acceleration_is_off():
    assert forward_dtype('auto', HERE) == FAST
    assert forward_dtype('auto', HERE, accelerate=False) == forward_dtype('float32', HERE) == torch.float32
    assert forward_dtype('bfloat16', HERE, accelerate=False) == torch.bfloat16


@pytest.mark.parametrize(
    ('asked', 'dtype'),
    [
        (config(), torch.float32),
        (config(type='OptimWrapper'), torch.float32),
        (config(type='AutocastOptimWrapper'), FAST),
        (config(accelerate=False, type='AutocastOptimWrapper'), torch.float32),
        (config(type='AutocastOptimWrapper', dtype='bfloat16'), torch.bfloat16),
        (config(type='AmpOptimWrapper'), LOWER),
        (Config(), torch.float32),
    ],
)
def test_a_config_says_what_it_trains_in(asked, dtype):
    assert training_dtype(asked) == dtype


@pytest.mark.parametrize('accelerate', [True, False])
def test_what_is_asked_for_is_done_whatever_the_hardware(accelerate):
    asked = config(accelerate, type='OptimWrapper')
    ask_for_lower_precision(asked)
    assert training_dtype(asked) == LOWER


@pytest.mark.parametrize('accelerate', [True, False])
@pytest.mark.parametrize('dtype', ['auto', 'bfloat16'])
def test_a_run_computes_in_what_its_config_says(tiny_runner, accelerate, dtype):
    hook = dict(type='AccelerationHook', enabled=accelerate)
    runner = tiny_runner(
        optim_wrapper=dict(type='AutocastOptimWrapper', dtype=dtype), **{'default_hooks.acceleration': hook}
    )
    seen = []
    runner.model.head.register_forward_hook(
        lambda module, inputs, output: seen.append(output.dtype) if module.training else None
    )
    runner.train()
    assert set(seen) == {training_dtype(runner.cfg)}
