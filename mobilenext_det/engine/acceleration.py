"""What makes training and evaluation fast, in one place."""

from __future__ import annotations

import copy

import torch
from mmcv.cnn import ConvModule, fuse_conv_bn
from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from mmengine.utils import digit_version
from torch import nn

from mobilenext_det.errors import UsageError
from mobilenext_det.hardware import keep_freed_memory

from .autocast import AutocastOptimWrapper

SWITCH = 'default_hooks.acceleration.enabled=False'


@HOOKS.register_module()
class AccelerationHook(Hook):
    """Use what the hardware has: one log line says what, one key, ``enabled``, switches it off.

    - Memory that is freed is kept and used again (:func:`~mobilenext_det.hardware.keep_freed_memory`).
    - Weights are stored channels_last, which depthwise convolutions are fast in. A convolution with such weights gives
      a channels_last output whatever its input's format is, so the images need no conversion.
    - Batch norms that stay in evaluation mode while training (`norm_eval`, `frozen_stages`) are folded into the weights
      of the convolutions before them in every step, gradients and all (2305.11624).
    - The optimiser updates all parameters in one kernel, if it has one.
    - The forward pass runs in bfloat16, if :class:`~mobilenext_det.engine.autocast.AutocastOptimWrapper` is the
      optimiser's wrapper and bfloat16 is fast (:func:`~mobilenext_det.engine.precision.forward_dtype`).
    - Validation and tests run a copy of the model whose batch norms are folded into the convolutions.

    Shapes and checkpoints' keys do not change. The conversions follow the initialisation, which would draw other
    weights in another format.

    Args:
        enabled: Whether to do any of it.
    """

    # After EMAHook has put its weights in place, before CheckpointHook saves the model.
    priority = 'LOW'

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled

    def before_run(self, runner: Runner) -> None:
        """Refuse ``compile``, before mmengine has the whole training step traced.

        Args:
            runner: The runner.

        Raises:
            UsageError: If the config asks for it.
        """
        if runner.cfg.get('compile') and isinstance(runner.optim_wrapper, AutocastOptimWrapper):
            raise UsageError(
                f'compile={runner.cfg.compile} does not go with AutocastOptimWrapper, whose forward pass torch cannot '
                'trace within a training step: leave compile out.'
            )

    def before_train(self, runner: Runner) -> None:
        """Convert model and optimiser in place.

        Args:
            runner: The runner, with its model initialised.
        """
        wrapper = runner.optim_wrapper
        wrappers = list(wrapper.values()) if isinstance(wrapper, OptimWrapperDict) else [wrapper]
        lower = [each for each in wrappers if isinstance(each, AutocastOptimWrapper)]
        for each in lower:
            each.accelerate(self.enabled)
        if not self.enabled:
            runner.logger.info('Acceleration: none, it is switched off.')
            return
        runner.model.to(memory_format=torch.channels_last)
        fold_frozen_batch_norms(runner.model)
        used = ['channels_last weights']
        if any(each.enabled for each in lower):
            used.insert(0, 'bfloat16 autocast')
        used += [f'fused {type(each.optimizer).__name__}' for each in wrappers if _fuse(each.optimizer)]
        if keep_freed_memory():
            used.append('freed memory is kept')
        runner.logger.info(f'Acceleration: {", ".join(used)} ({SWITCH} switches it off).')

    def before_test(self, runner: Runner) -> None:
        """Keep freed memory.

        Args:
            runner: The runner.
        """
        if self.enabled:
            keep_freed_memory()

    def before_val_epoch(self, runner: Runner) -> None:
        """Put a folded copy in the model's place.

        Args:
            runner: The runner, with the weights that are evaluated.
        """
        self._model = runner.model
        if self.enabled:
            runner.model = folded(self._model.module if is_model_wrapper(self._model) else self._model)

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Put the model back.

        Args:
            runner: The runner.
            metrics: What the evaluator found.
        """
        runner.model = self._model

    before_test_epoch, after_test_epoch = before_val_epoch, after_val_epoch


def fold_frozen_batch_norms(model: nn.Module) -> None:
    """Have convolutions take in the batch norms behind them wherever these are in evaluation mode.

    mmcv's `efficient_conv_bn_eval` scales the weights in every step, in place of the map, which is far larger.

    Args:
        model: The model; its results stay what they were, but for rounding.
    """
    for module in model.modules():
        if isinstance(module, ConvModule):
            module.turn_on_efficient_conv_bn_eval()


def folded(model: nn.Module) -> nn.Module:
    """Return a copy for prediction: batch norms folded into the convolutions before them, weights channels_last.

    mmcv's wrapper around each convolution goes, too: with nothing left to choose it costs a tenth of a small network's
    time.

    Args:
        model: A trained model. One without batch norm, such as an exported network, is returned as it is.
    """
    if not any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules()):
        return model
    copied = _without_wrappers(fuse_conv_bn(copy.deepcopy(model).eval()))
    copied.requires_grad_(False)
    return copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it


def _without_wrappers(module: nn.Module) -> nn.Module:
    """Put what is left of each folded ConvModule, the convolution and its activation, in its place."""
    for name, child in module.named_children():
        if isinstance(child, ConvModule) and child.order == ('conv', 'norm', 'act'):
            setattr(module, name, nn.Sequential(child.conv, child.activate) if child.with_activation else child.conv)
        else:
            _without_wrappers(child)
    return module


def _fuse(optimizer: torch.optim.Optimizer) -> bool:
    """Have an optimiser that can update all parameters in one kernel; tell whether there is one."""
    if 'fused' not in optimizer.defaults or digit_version(torch.__version__) < digit_version('2.4'):  # none on CPUs
        return False
    for group in optimizer.param_groups:
        group.update(fused=True, foreach=False)
    return True
