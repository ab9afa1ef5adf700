"""Two halves of one data set, one that the weights learn from and one for the architecture."""

from __future__ import annotations

from collections.abc import Sized

from mmdet.registry import DATA_SAMPLERS
from mmengine.dist import get_world_size

from mobilenext_det.datasets.sampler import ResumableSampler
from mobilenext_det.errors import UsageError


@DATA_SAMPLERS.register_module()
class HalvesSampler(ResumableSampler):
    """Shuffled images of two halves by turns: those of even index, for the weights, and of odd index.

    `ImageFolder` lists images by class, so each half has half of every class. A batch of 2 N images has N of each, and
    a search resumes as any training does, because all order comes from the seed.

    Args:
        dataset: The data set; the last image of an odd number is left out.
        seed: The run's seed; drawn once if None.

    Raises:
        UsageError: In a run of several processes, which would not get images of both halves each.
        ValueError: If there are not two images.
    """

    def __init__(self, dataset: Sized, seed: int | None = None) -> None:
        super().__init__(dataset, shuffle=True, seed=seed)
        if get_world_size() > 1:
            raise UsageError('A search runs in one process: start it without a launcher.')
        self.size -= self.size % 2
        if not self.size:
            raise ValueError(f'{type(dataset).__name__} holds one image; a search needs two, one for each half.')

    def _order(self, epoch: int) -> list[int]:
        order = super()._order(epoch)
        halves = ([index for index in order if index % 2 == half] for half in (0, 1))
        return [index for pair in zip(*halves, strict=True) for index in pair]
