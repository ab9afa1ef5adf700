"""Checkpoints that survive a kill at any moment and load without running code."""

from __future__ import annotations

import os.path as osp

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.fileio.backends import BaseStorageBackend, LocalBackend
from mmengine.hooks import CheckpointHook
from mmengine.runner import IterBasedTrainLoop, Runner

from mobilenext_det.errors import UsageError
from mobilenext_det.files import AtomicBackend, write_atomically

from .plain import restore_histories, to_plain


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` with four corrections; arguments and files are the same.

    - Checkpoints hold tensors and plain Python only, so ``torch.load(weights_only=True)`` reads them; mmengine's hold
      objects that torch refuses since 2.6 (mmengine#1655).
    - Files are written atomically, ``last_checkpoint`` after the checkpoint it names.
    - Outdated files, the former best among them, are removed after their replacement is written, not before.
    - A checkpoint remembers that the validation of its iteration is still to come. Resuming from it validates first, so
      that no score is missing from the curve and from ``save_best``.
    """

    file_backend: BaseStorageBackend

    def before_train(self, runner: Runner) -> None:
        """Choose the folder as mmengine does, make writing atomic there, then make up for a validation cut short."""
        super().before_train(runner)
        self._require_best(runner)
        if type(self.file_backend) is LocalBackend:
            self.backend_args = dict(backend='atomic')
            self.file_backend = AtomicBackend()
        if runner.message_hub.get_info('pending_validation', False) and runner.val_loop is not None:
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float]) -> None:
        """Save the best and write this iteration's checkpoint again, if it has one: its validation is done now.

        Args:
            runner: The runner.
            metrics: The scores.
        """
        if not hasattr(self, 'file_backend'):  # a validation without a training, which has no folder for the best
            return
        pending = runner.message_hub.get_info('pending_validation', False)
        runner.message_hub.update_info('pending_validation', False)
        super().after_val_epoch(runner, metrics)
        if pending:
            self._save_checkpoint_with_step(runner, runner.iter, dict(epoch=runner.epoch, iter=runner.iter))

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Make the checkpoint plain, in place, after all other hooks have put in theirs."""
        plain = to_plain(checkpoint)
        checkpoint.clear()
        checkpoint.update(plain)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Give the message hub back the kind of object it saved."""
        restore_histories(checkpoint.get('message_hub', {}).get('log_scalars', {}))

    def _save_checkpoint(self, runner: Runner) -> None:
        """Save, noting whether a validation of the same iteration follows."""
        loop, done = runner.train_loop, runner.iter + 1
        due = done >= loop.val_begin and (done % loop.val_interval == 0 or done == loop.max_iters)
        by_iteration = not self.by_epoch and isinstance(loop, IterBasedTrainLoop)
        pending = due and by_iteration and runner.val_loop is not None
        runner.message_hub.update_info('pending_validation', pending)
        super()._save_checkpoint(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Do as mmengine does, in an order that can be interrupted: write, point to it, remove what it replaces."""
        filename = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, filename)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        outdated = self._keep(runner, step) if self.max_keep_ckpts > 0 else None
        runner.save_checkpoint(
            self.out_dir,
            filename,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_atomically(self.last_ckpt.encode(), osp.join(runner.work_dir, 'last_checkpoint'))
            if outdated is not None:
                self.file_backend.remove(self.file_backend.join_path(self.out_dir, self.filename_tmpl.format(outdated)))
        self._flush_removals()

    def _keep(self, runner: Runner, step: int) -> int | None:
        """Add ``step`` to the checkpoints kept and return the one that falls out, if any."""
        if step in self.keep_ckpt_ids:
            return None
        outdated = self.keep_ckpt_ids[0] if len(self.keep_ckpt_ids) == self.max_keep_ckpts else None
        self.keep_ckpt_ids.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        return outdated

    def _require_best(self, runner: Runner) -> None:
        """Refuse a `save_best` of a metric that the run has not, before hours are trained."""
        if runner.val_loop is None or not self.save_best:
            return
        prefixes = {str(metric.prefix) for metric in runner.val_loop.evaluator.metrics}
        for name in self.key_indicators:
            prefix = name.rpartition('/')[0]
            if prefix and not any(f'{prefix}/'.startswith(f'{one}/') for one in prefixes):
                raise UsageError(
                    f'default_hooks.checkpoint.save_best={name} is no score of this run, whose metrics are called '
                    f'{", ".join(f"{one}/..." for one in sorted(prefixes))}: set save_best to one of them, or to None.'
                )

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, float]) -> None:
        wanted = {*self.key_indicators} - {'auto'} if self.save_best and metrics else set()
        for name in wanted - metrics.keys():
            raise UsageError(
                f'default_hooks.checkpoint.save_best={name} is no score of this run: set it to one of '
                f'{", ".join(metrics)}, or to None.'
            )
        super()._save_best_checkpoint(runner, metrics)
        self._flush_removals()

    def _flush_removals(self) -> None:
        if isinstance(self.file_backend, AtomicBackend):
            self.file_backend.flush_removals()
