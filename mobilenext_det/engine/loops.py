"""The training loops, corrected where they resume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmdet.registry import LOOPS
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader

from mobilenext_det.datasets.sampler import ResumableSampler
from mobilenext_det.errors import TrainingError, UsageError


class _Explained:
    """A loop that says in a sentence what batch norm needs."""

    def run_iter(self, *batch: Any) -> None:
        """Train for one iteration."""
        try:
            super().run_iter(*batch)  # type: ignore[misc]  # of the loop that this is mixed into
        except ValueError as error:
            if 'Expected more than 1 value per channel' not in str(error):
                raise
            raise TrainingError(
                'Batch norm cannot train on one image where a feature map is a single pixel: set '
                'train_dataloader.batch_size=2 or more (and drop_last=True, if it is the last batch of an epoch), or '
                'model.norm_eval=True, which keeps the statistics of the weights that the training starts from.'
            ) from error


class _AfterPast(Iterator):
    """Batches behind those of past iterations, which cost nothing.

    mmengine's loop asks for each of them before it trains, that of its maintained fork to pass over all at once.
    """

    def __init__(self, past: int, loader: DataLoader) -> None:
        self.past, self.batches = past, iter(loader)

    def __next__(self) -> Any:
        """Return nothing for a past iteration, then batches."""
        if self.past:
            self.past -= 1
            return None
        return next(self.batches)

    def skip_iter(self, num_iters: int) -> None:
        """Pass over past iterations."""
        self.past -= num_iters


@LOOPS.register_module()
class ResumableIterBasedTrainLoop(_Explained, IterBasedTrainLoop):
    """mmengine's ``IterBasedTrainLoop`` that resumes without reading the data of past iterations again.

    The stock loop loads and augments every past batch to reach its place, hours at iteration 200000
    (mmsegmentation#3669). With a :class:`~mobilenext_det.datasets.sampler.ResumableSampler` the place is a number; with
    any other sampler this is the stock loop.
    """

    def run(self) -> nn.Module:
        """Train from the current iteration to the last.

        Returns:
            The trained model.
        """
        sampler, batch_size = self.dataloader.sampler, self.dataloader.batch_size
        if isinstance(sampler, ResumableSampler) and batch_size is not None:
            self._restore_order(sampler, batch_size)
        return super().run()

    def _restore_order(self, sampler: ResumableSampler, batch_size: int) -> None:
        _restore_seed(self, sampler)
        if self._iter > 0:
            sampler.start_at(self._iter * batch_size)
            self.dataloader_iterator = _AfterPast(self._iter, self.dataloader)


@LOOPS.register_module(name=['ResumableEpochBasedTrainLoop', 'EpochBasedTrainLoop'])
class ResumableEpochBasedTrainLoop(_Explained, EpochBasedTrainLoop):
    """mmengine's ``EpochBasedTrainLoop``, in its place in MMDetection's configs, for a sampler without an end.

    With a :class:`~mobilenext_det.datasets.sampler.ResumableSampler`, over which the stock loop would stay in its first
    epoch for ever, an epoch is one permutation, and a resumed run goes on to the bit. With any other sampler this is
    the stock loop.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.dataloader.sampler, ResumableSampler):
            self.dataloader.sampler.by_epoch = True
            self._max_iters = self._max_epochs * len(self.dataloader)

    def run(self) -> nn.Module:
        """Train from the current epoch to the last.

        Returns:
            The trained model.

        Raises:
            UsageError: If the run is resumed within an epoch.
        """
        if self._iter != self._epoch * len(self.dataloader):
            raise UsageError(
                f'Epochs are resumed from their ends, but the checkpoint is of iteration {self._iter} and epoch '
                f'{self._epoch}, which with this data and batch size ends at {self._epoch * len(self.dataloader)}: '
                'take a checkpoint of an epoch (default_hooks.checkpoint.by_epoch=True) and the batch size of that run.'
            )
        if isinstance(self.dataloader.sampler, ResumableSampler):
            _restore_seed(self, self.dataloader.sampler)
        return super().run()

    def run_epoch(self) -> None:
        """Train for one epoch."""
        if isinstance(self.dataloader.sampler, ResumableSampler):
            self.dataloader.sampler.epoch = self._epoch
        super().run_epoch()


def _restore_seed(loop: IterBasedTrainLoop | EpochBasedTrainLoop, sampler: ResumableSampler) -> None:
    """Go on with the seed of a run that is resumed, and keep it for the next time."""
    hub = loop.runner.message_hub
    if loop.iter > 0:
        sampler.seed = hub.get_info('sampler_seed', sampler.seed)
    hub.update_info('sampler_seed', sampler.seed)
