"""How often a classifier is right."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmdet.registry import METRICS
from mmengine.evaluator import BaseMetric
from torch import Tensor


@METRICS.register_module()
class TopKAccuracy(BaseMetric):
    """Share of the images whose class is among the `k` of the highest scores: `accuracy/top1`, `accuracy/top5`.

    Where classes have equal scores, the order of the classes decides.

    Args:
        topk: The numbers k.
        **kwargs: As for :class:`mmengine.evaluator.BaseMetric`.
    """

    default_prefix = 'accuracy'

    def __init__(self, topk: Sequence[int] = (1, 5), **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.topk = tuple(topk)

    def process(self, data_batch: dict, data_samples: Sequence[Tensor]) -> None:
        """Evaluate a batch.

        Args:
            data_batch: Its `data_samples` are the classes, int64 (N,).
            data_samples: The scores of each image, (classes,).
        """
        scores, labels = torch.stack(list(data_samples)).cpu(), data_batch['data_samples']
        # Places before the right class: those of higher scores, and those of equal scores that come first.
        right = scores.gather(1, labels[:, None])
        first = torch.arange(scores.shape[1]) < labels[:, None]
        self.results += ((scores > right) | ((scores == right) & first)).sum(1).tolist()

    def compute_metrics(self, results: list[int]) -> dict[str, float]:
        """Compute the shares.

        Args:
            results: How many classes were ranked before the right one, for each image.
        """
        places = torch.tensor(results)
        return {f'top{k}': (places < k).double().mean().item() for k in self.topk}
