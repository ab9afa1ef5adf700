"""The classifier that a genotype is trained in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch.nn.functional as F
from mmcv.cnn.bricks import DropPath
from mmdet.registry import HOOKS, MODELS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from mobilenext_det.models import ImageClassifier


def _auxiliary_head(channels: int, num_classes: int) -> nn.Sequential:
    """Return DARTS's auxiliary head for maps of 8 pixels a side."""

    def conv(cin: int, cout: int, kernel: int) -> Iterable[nn.Module]:
        return nn.Conv2d(cin, cout, kernel, bias=False), nn.BatchNorm2d(cout), nn.ReLU()

    pool = nn.AvgPool2d(5, 3, count_include_pad=False)
    return nn.Sequential(
        nn.ReLU(), pool, *conv(channels, 128, 1), *conv(128, 768, 2), nn.Flatten(), nn.Linear(768, num_classes)
    )


@MODELS.register_module()
class SearchedClassifier(ImageClassifier):
    """`ImageClassifier` of a `SearchedNetwork`, with the auxiliary head that DARTS trains with.

    The head reads the output of the second reduction cell, adds its loss, and is no part of what predicts: counts of
    parameters leave `auxiliary` out, as published ones do.

    Args:
        auxiliary_weight: What its loss is multiplied by; DARTS's is 0.4. The images must have 32 pixels a side.
        **kwargs: As for `ImageClassifier`.
    """

    def __init__(self, *, auxiliary_weight: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.auxiliary_weight = auxiliary_weight
        self.auxiliary = _auxiliary_head(self.backbone.auxiliary_channels, self.num_classes)

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor] | list[Tensor]:
        """Classify images, as `ImageClassifier` does.

        Args:
            inputs: Images (N, 3, 32, 32).
            data_samples: The class of each image.
            mode: 'tensor', 'loss' or 'predict'.

        Returns:
            As `ImageClassifier`; the loss is the sum of both heads', `loss` and `auxiliary_loss`.
        """
        if mode != 'loss':
            return super().forward(inputs, data_samples, mode)
        assert data_samples is not None
        last, middle = self.backbone.forward_with_auxiliary(inputs)
        loss, auxiliary = (
            F.cross_entropy(scores.float(), data_samples, label_smoothing=self.label_smoothing)
            for scores in (self.head(last), self.auxiliary(middle))
        )
        return dict(loss=loss, auxiliary_loss=self.auxiliary_weight * auxiliary)


@HOOKS.register_module()
class DropPathHook(Hook):
    """Raise the share of paths that are dropped linearly from 0 to `last` over a training (1806.09055, appendix A.4).

    It depends on the iteration alone, so that a resumed run goes on with the share it had.

    Args:
        last: The share at the end.
    """

    def __init__(self, last: float) -> None:
        self.last = last

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Set the share.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: Not used.
        """
        for module in runner.model.modules():
            if isinstance(module, DropPath):
                module.drop_prob = self.last * runner.iter / runner.max_iters
