"""Training order and augmentation draws that depend on the seed alone, so that a killed run continues exactly."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sized

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import DATA_SAMPLERS, TRANSFORMS
from mmengine.dataset import InfiniteSampler


class SeededIndex(int):
    """A dataset index that carries the seed of one sample's augmentation.

    It stays one through pickling (to the workers) and through the arithmetic of mmengine's ``ConcatDataset``
    (``index - offset``) and ``RepeatDataset`` (``index % length``).

    Args:
        value: The index.
        seed: The seed, in [0, 2**32).
    """

    seed: int

    def __new__(cls, value: int, seed: int) -> SeededIndex:
        """Make an index like ``int(value)``, then attach ``seed``."""
        index = super().__new__(cls, value)
        index.seed = seed
        return index

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]  # of `int`, whose `__new__` takes one
        """Tell pickle both arguments of ``__new__``."""
        return int(self), self.seed

    def __sub__(self, other: int) -> SeededIndex:
        """Shift the index and keep the seed."""
        return SeededIndex(int(self) - other, self.seed)

    def __mod__(self, other: int) -> SeededIndex:
        """Wrap the index and keep the seed."""
        return SeededIndex(int(self) % other, self.seed)


@DATA_SAMPLERS.register_module()
class ResumableSampler(InfiniteSampler):
    """mmengine's ``InfiniteSampler`` that can start anywhere and whose every index carries a seed.

    The epochs' permutations follow each other without a gap; rank ``r`` of ``n`` takes every ``n``-th index from the
    ``r``-th on. Epoch ``e`` is drawn from ``(seed, e)`` alone, so starting at any sample costs the same (the stock loop
    calls ``next`` for every past iteration, mmsegmentation#3669), and a sample's seed comes from
    ``(seed, epoch, index)``, so that augmentation neither repeats from epoch to epoch nor depends on the number of
    workers. :class:`SeedBySample` puts that seed to use.

    Args:
        dataset: The dataset.
        shuffle: Whether an epoch is a permutation or the dataset's own order. Defaults to True.
        seed: The run's seed; drawn once for all ranks if None.

    Attributes:
        by_epoch: Whether an iteration ends after one epoch, for a loop that counts in them, and begins with `epoch`.
        epoch: The epoch that is next then.

    Raises:
        ValueError: If the dataset is empty, which would make an endless loop without an index.
    """

    def __init__(self, dataset: Sized, shuffle: bool = True, seed: int | None = None) -> None:
        super().__init__(dataset, shuffle, seed)
        if self.size == 0:
            raise ValueError(f'{type(dataset).__name__} holds no sample to train on; check its ann_file and classes.')
        self.start, self.epoch, self.by_epoch = 0, 0, False

    def start_at(self, samples: int) -> None:
        """Make the next iteration begin where this rank stands after ``samples`` samples of its own."""
        self.start = samples

    def __iter__(self) -> Iterator[SeededIndex]:
        """Yield this rank's indices: those of one epoch, or from the start position on and without an end."""
        if self.by_epoch:
            order = self._order(self.epoch)
            order += order[: len(self) * self.world_size - self.size]  # as many for every rank
            yield from (
                SeededIndex(index, self._sample_seed(self.epoch, index))
                for index in order[self.rank :: self.world_size]
            )
            return
        epoch, offset = divmod(self.rank + self.start * self.world_size, self.size)
        while True:
            for index in self._order(epoch)[offset :: self.world_size]:
                yield SeededIndex(index, self._sample_seed(epoch, index))
            epoch, offset = epoch + 1, (offset - self.size) % self.world_size

    def __len__(self) -> int:
        """Return the number of indices: of this rank's share of an epoch, or where there is no end of the data set."""
        return -(-self.size // self.world_size) if self.by_epoch else self.size

    def _order(self, epoch: int) -> list[int]:
        if not self.shuffle:
            return list(range(self.size))
        generator = torch.Generator().manual_seed(self._sample_seed(epoch, self.size))
        return torch.randperm(self.size, generator=generator).tolist()

    def _sample_seed(self, epoch: int, index: int) -> int:
        return int(np.random.SeedSequence((self.seed, epoch, index)).generate_state(1)[0])


@TRANSFORMS.register_module()
class SeedBySample(BaseTransform):
    """Seed ``random`` and ``numpy.random`` from the sample's own seed; the first transform of a training pipeline.

    Without it, workers that are started anew every epoch replay the same draws. An index without a seed (a stock
    sampler, ``dataset[3]``, or the substitute that mmengine's ``BaseDataset`` draws for an unusable sample) leaves
    both generators as they are: the substitute is then itself drawn from the seed.
    """

    def transform(self, results: dict) -> dict:
        """Seed the generators from ``results['sample_idx']``, the index as it was given to the dataset.

        Args:
            results: A sample's data information.

        Returns:
            The same, unchanged.
        """
        seed = getattr(results['sample_idx'], 'seed', None)
        if seed is not None:
            random.seed(seed)
            np.random.seed(seed)
        return results
