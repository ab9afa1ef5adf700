from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from torch import nn

from mobilenext_det.engine.acceleration import fold_frozen_batch_norms, folded
from mobilenext_det.errors import UsageError
from mobilenext_det.hardware import has_fast_bfloat16
from mobilenext_det.models import MobileNeXt

CONFIGS = Path(__file__).parents[2] / 'configs'
ON = dict(custom_hooks=[dict(type='AccelerationHook')])
OFF = dict(custom_hooks=[dict(type='AccelerationHook', enabled=False)])
AUTOCAST = {'optim_wrapper.type': 'AutocastOptimWrapper'}


def log_of(runner):
    return Path(runner.logger.handlers[1].baseFilename).read_text()


def batch_norms(model):
    return [name for name, module in model.named_modules() if isinstance(module, nn.BatchNorm2d)]


def test_weights_and_activations_are_channels_last(tiny_runner):
    runner = tiny_runner(**ON)
    formats = []
    runner.model.norm.register_forward_hook(
        lambda module, inputs, output: formats.append(output.is_contiguous(memory_format=torch.channels_last))
    )
    runner.train()
    assert formats
    assert all(formats)
    assert runner.model.conv.weight.is_contiguous(memory_format=torch.channels_last)


def test_the_result_is_that_of_stock(tiny_runner, tmp_path):
    runs = [tiny_runner(tmp_path / name, **settings) for name, settings in (('usual', {}), ('fast', ON))]
    for runner in runs:
        runner.train()
    usual, fast = (runner.model.state_dict() for runner in runs)
    assert usual.keys() == fast.keys()
    for name in usual:
        torch.testing.assert_close(fast[name], usual[name], rtol=1e-4, atol=1e-5)


def test_one_line_says_what_is_used_and_how_to_switch_it_off(tiny_runner):
    runner = tiny_runner(**ON, **AUTOCAST, log_level='INFO')
    runner.train()
    lines = [line for line in log_of(runner).splitlines() if 'Acceleration:' in line]
    assert len(lines) == 1
    for part in ('channels_last weights', 'fused SGD', 'freed memory is kept', 'acceleration.enabled=False'):
        assert part in lines[0]
    assert ('bfloat16' in lines[0]) is has_fast_bfloat16('cpu') is runner.optim_wrapper.enabled
    assert all(group['fused'] for group in runner.optim_wrapper.param_groups)


def test_one_key_switches_all_of_it_off(tiny_runner):
    runner = tiny_runner(**OFF, **AUTOCAST, log_level='INFO')
    seen = []
    runner.model.norm.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    runner.train()
    assert set(seen) == {torch.float32}
    assert runner.model.conv.weight.is_contiguous()
    assert not any(group['fused'] for group in runner.optim_wrapper.param_groups)
    assert 'Acceleration: none' in log_of(runner)


@HOOKS.register_module()
class JudgedHook(Hook):
    """Look at the model while it is judged."""

    priority = 'LOWEST'

    def before_val_epoch(self, runner):
        self.batch_norms = batch_norms(runner.model)
        self.bias = runner.model.head.bias.clone()


def test_what_is_judged_is_folded_and_what_is_kept_is_not(tiny_runner, tmp_path):
    runner = tiny_runner(custom_hooks=[*ON['custom_hooks'], dict(type='JudgedHook')])
    runner.train()
    assert next(hook for hook in runner.hooks if isinstance(hook, JudgedHook)).batch_norms == []
    assert batch_norms(runner.model) == ['norm']
    best = next(path for path in Path(runner.work_dir).glob('best_*.pth'))
    assert torch.load(best, weights_only=True)['state_dict'].keys() == runner.model.state_dict().keys()
    usual = tiny_runner(tmp_path / 'usual', custom_hooks=OFF['custom_hooks'])
    usual.train()
    scores = [one.message_hub.get_scalar('val/score').data[0] for one in (runner, usual)]
    np.testing.assert_allclose(*scores, rtol=1e-4)


def test_with_averaged_weights_these_are_judged(tiny_runner):
    hooks = [*ON['custom_hooks'], dict(type='EMAHook', momentum=0.5), dict(type='JudgedHook')]
    runner = tiny_runner(custom_hooks=hooks)
    runner.train()
    judged = next(hook for hook in runner.hooks if isinstance(hook, JudgedHook)).bias
    averaged = next(hook for hook in runner.hooks if hasattr(hook, 'ema_model')).ema_model.module.head.bias
    assert torch.equal(judged, averaged)
    assert not torch.equal(judged, runner.model.head.bias)


@pytest.mark.parametrize('name', ['ssdlite_mobilenext_toy', 'ssdlite_mobilenetv2_expansion_voc'])
def test_a_folded_detector_finds_the_same(name):
    init_default_scope('mmdet')
    model = MODELS.build(Config.fromfile(CONFIGS / f'{name}.py').model).eval()
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    copied = folded(model)
    assert not batch_norms(copied)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    size = model.bbox_head.prior_generator.input_size
    image = torch.randn(2, 3, size, size)
    with torch.no_grad():
        for expected, found in zip(*(sum(one(image), []) for one in (model, copied)), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_without_batch_norm_nothing_is_copied():
    model = nn.Sequential(nn.Conv2d(1, 1, 1))
    assert folded(model) is model


@pytest.mark.parametrize('settings', [dict(norm_eval=True), dict(frozen_stages=1)], ids=str)
def test_batch_norm_that_is_frozen_costs_nothing_and_teaches_the_same(settings):
    init_default_scope('mmdet')
    torch.manual_seed(0)
    backbone = MobileNeXt(0.35, out_indices=(2,), conv_cfg=dict(type='AutocastConv2d'), **settings)
    for module in backbone.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 2)
    images, gradients, called = torch.rand(2, 3, 64, 64), [], []
    for name, module in backbone.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda *_, name=name: called.append(name))
    for _ in range(2):
        called.clear()
        backbone.train()
        backbone(images)[0].square().mean().backward()
        gradients.append({key: each.grad.clone() for key, each in backbone.named_parameters() if each.requires_grad})
        backbone.zero_grad()
        fold_frozen_batch_norms(backbone)
    assert set(called) == {name for name, module in backbone.named_modules() if module in trained(backbone)}
    for key, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][key], gradient, rtol=1e-3, atol=1e-5)


def trained(backbone):
    return {module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d) and module.training}


def test_a_compiled_training_step_is_refused(tiny_runner):
    with pytest.raises(UsageError, match='compile=True does not go with AutocastOptimWrapper'):
        tiny_runner(**ON, **AUTOCAST, compile=True).train()
