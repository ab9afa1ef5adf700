"""What a resumed run takes from its checkpoint, and what from a config that says something else."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.optim import _ParamScheduler
from mmengine.runner import Runner
from torch import nn

from mobilenext_det.datasets.sampler import ResumableSampler

from .config import innermost_datasets
from .seed_hook import SeedIterationHook

# What says how an optimiser computes, not what; and what a scheduler counts.
_IMPLEMENTATION = {'params', 'foreach', 'fused', 'capturable', 'differentiable', 'maximize', 'decoupled_weight_decay'}
_COUNTED = {'last_step', 'verbose', 'base_values', 'best', 'num_bad_epochs', 'cooldown_counter'}


@HOOKS.register_module()
class ResumeHook(Hook):
    """Let a config's schedule and optimiser hold in a resumed run, and say so, where they are not the checkpoint's.

    mmengine takes all of both from the checkpoint: with another schedule, rate or length in the config the old one goes
    on without a word, and another optimiser ends in a ``KeyError``. Here the config's schedule is run ahead to the
    checkpoint's iteration. With the same config nothing is touched, and the run goes on to the bit.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the config's schedule and optimiser into the checkpoint where they differ, before mmengine reads it.

        Args:
            runner: The runner, with optimiser and schedulers as the config says.
            checkpoint: What was read.
        """
        optimizer = getattr(runner.optim_wrapper, 'optimizer', None)
        schedulers = runner.param_schedulers
        if not runner._resume or optimizer is None or isinstance(schedulers, dict) or 'optimizer' not in checkpoint:
            return
        schedulers = schedulers or []
        saved = checkpoint['optimizer']
        groups, own = saved['param_groups'], optimizer.param_groups
        same_kind = [_arguments(group) for group in groups] == [_arguments(group) for group in own]
        changed = list(_changed(saved, checkpoint.get('param_schedulers') or [], optimizer, schedulers))
        iteration, epoch = checkpoint['meta']['iter'], checkpoint['meta']['epoch']
        if not changed and same_kind:
            return
        _run_ahead(schedulers, iteration, epoch)
        checkpoint['param_schedulers'] = [scheduler.state_dict() for scheduler in schedulers]
        if same_kind:
            kept = 'weights, iteration and the state of the optimiser'
            saved['param_groups'] = [
                {**mine, 'params': theirs['params']} for mine, theirs in zip(own, groups, strict=True)
            ]
        else:
            kept = 'weights and iteration'
            changed.insert(
                0, f'another optimiser or other groups of parameters, so that {type(optimizer).__name__} starts anew'
            )
            del checkpoint['optimizer']
        runner.logger.warning(
            f'{runner._load_from} was trained with another schedule or optimiser than the config has '
            f'({"; ".join(changed)}): {kept} are kept, and from iteration {iteration} on the config holds, with a '
            f'learning rate of {own[0]["lr"]:.4g}. To go on as that run did, resume it with its own config, of which a '
            'copy is in its work dir.'
        )

    def before_train(self, runner: Runner) -> None:
        """Say if a resumed run has nothing left to do, or will not repeat what the uninterrupted one would have done.

        Args:
            runner: The runner, loaded.
        """
        if not runner._resume or runner.iter == 0:
            return
        if runner.iter >= runner.max_iters:
            runner.logger.warning(
                f'{runner._load_from} is at the end of its training, iteration {runner.iter} of {runner.max_iters}: '
                'nothing is left to train; give a longer train_cfg (max_iters) to go on.'
            )
        elif reasons := list(_not_repeated(runner)):
            runner.logger.warning(
                f'The resumed run goes on with other random numbers than the uninterrupted one: {"; ".join(reasons)}.'
            )


def _arguments(group: Mapping[str, Any]) -> tuple[list[str], int]:
    """Return what tells kinds of optimisers apart in one of their groups of parameters."""
    return sorted(group.keys() - _IMPLEMENTATION - {'initial_lr', 'param_names'}), len(group['params'])


def _changed(
    saved: dict, saved_schedulers: list[dict], optimizer: Any, schedulers: list[_ParamScheduler]
) -> Iterator[str]:
    """Yield what differs, as 'name old -> new'."""
    scheduled = {scheduler.param_name for scheduler in schedulers} | {
        state.get('param_name') for state in saved_schedulers
    }
    for theirs, mine in zip(saved['param_groups'][:1], optimizer.param_groups[:1], strict=True):
        old, new = (group.get('initial_lr', group['lr']) for group in (theirs, mine))
        if old != new:
            yield f'lr {old} -> {new}'
        for name in (theirs.keys() & mine.keys()) - _IMPLEMENTATION - scheduled - {'lr', 'initial_lr'}:
            if theirs[name] != mine[name]:
                yield f'{name} {theirs[name]} -> {mine[name]}'
    states = [scheduler.state_dict() for scheduler in schedulers]
    if [state.keys() for state in states] != [state.keys() for state in saved_schedulers]:
        yield 'other schedulers'
        return
    for theirs, mine in zip(saved_schedulers, states, strict=True):
        for name in sorted(name for name in mine.keys() - _COUNTED if not name.startswith('_')):
            if theirs[name] != mine[name]:
                yield f'{name} {_short(theirs[name])} -> {_short(mine[name])}'


def _short(value: Any) -> Any:
    return sorted(value) if isinstance(value, Mapping) else value  # milestones are counted


def _run_ahead(schedulers: list[_ParamScheduler], iteration: int, epoch: int) -> None:
    """Take schedulers that stand at the start to an iteration, as a training does."""
    movable = [scheduler for scheduler in schedulers if not getattr(scheduler, 'need_val_args', False)]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that the optimiser has made no step
        for step in range(1, iteration + 1):
            for scheduler in movable:
                if not scheduler.by_epoch:
                    scheduler.step()
            if epoch and step * epoch % iteration < epoch:
                for scheduler in movable:
                    if scheduler.by_epoch:
                        scheduler.step()


def _not_repeated(runner: Runner) -> Iterator[str]:
    """Yield what does not come from the seeds of samples."""
    loader = runner.train_dataloader
    if not isinstance(loader.sampler, ResumableSampler):
        yield f'{type(loader.sampler).__name__} gives samples no seed, ResumableSampler does'
        return
    for _, dataset in innermost_datasets(runner.cfg.train_dataloader):
        steps = [str(step.get('type')) for step in dataset.get('pipeline') or []]
        if steps and steps[0] != 'SeedBySample':
            yield 'the first step of a training pipeline is not SeedBySample'
        if cached := [step for step in steps if step.startswith('Cached')]:
            yield f'{", ".join(cached)} keeps images of earlier iterations'
    drops = any(isinstance(module, nn.modules.dropout._DropoutNd) and module.p for module in runner.model.modules())
    if drops and not any(isinstance(hook, SeedIterationHook) for hook in runner.hooks):
        yield 'the network drops features at random, which SeedIterationHook would seed'
