"""The training loop, corrected where it resumes."""

from __future__ import annotations

from itertools import chain, repeat

from mmdet.registry import LOOPS
from mmengine.runner import IterBasedTrainLoop
from torch import nn

from mobilenext_det.datasets.sampler import ResumableSampler


@LOOPS.register_module()
class ResumableIterBasedTrainLoop(IterBasedTrainLoop):
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
        hub = self.runner.message_hub
        if self._iter > 0:
            sampler.seed = hub.get_info('sampler_seed', sampler.seed)
            sampler.start_at(self._iter * batch_size)
            # The stock loop asks for one batch per past iteration before it trains: those cost nothing here.
            self.dataloader_iterator = chain(repeat(None, self._iter), iter(self.dataloader))
        hub.update_info('sampler_seed', sampler.seed)
