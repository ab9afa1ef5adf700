"""Over-sampling of rare classes that a killed run continues exactly."""

from __future__ import annotations

from mmdet.registry import DATASETS
from mmengine.dataset import ClassBalancedDataset as StockClassBalancedDataset

from .sampler import SeededIndex


@DATASETS.register_module()
class ClassBalancedDataset(StockClassBalancedDataset):
    """mmengine's wrapper, in its place in MMDetection's configs, that passes the seed of a sample on.

    The stock one looks an index up in a list, which holds plain numbers.
    """

    def _get_ori_dataset_idx(self, idx: int) -> int:
        index = super()._get_ori_dataset_idx(idx)
        return SeededIndex(index, idx.seed) if isinstance(idx, SeededIndex) else index
