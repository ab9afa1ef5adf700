"""A classifier that learns what a teacher says of images without labels."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch.nn.functional as F
from mmdet.registry import MODELS
from torch import Tensor, nn

from .classifier import ImageClassifier


@MODELS.register_module()
class DistilledClassifier(ImageClassifier):
    """`ImageClassifier` whose targets are a frozen teacher's probabilities for the same view (arXiv 1503.02531).

    Teacher and student see the same crop, colours and all, so that the teacher's answer is about what the student
    looks at ("consistent teaching", arXiv 2106.05237). The teacher is built when training begins, and is in no
    checkpoint: those hold the student alone, with the names that `ImageClassifier` gives it.

    Args:
        teacher: Config of a `Teacher`.
        temperature: What both networks' scores are divided by before the softmax.
        kwargs: Arguments of `ImageClassifier`; `num_classes` must be the teacher's.

    Raises:
        ValueError: If the temperature is not positive.
    """

    def __init__(self, teacher: dict, temperature: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not temperature > 0:
            raise ValueError(f'temperature must be more than 0, but is {temperature}.')
        self.temperature = temperature
        self._teacher_config = teacher

    @cached_property
    def teacher(self) -> nn.Module:
        """The teacher; a cached property is no submodule, so that neither state_dict nor the optimiser sees it."""
        return MODELS.build(self._teacher_config)

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor] | list[Tensor]:
        """As `ImageClassifier`; the loss is the divergence from the teacher, and `data_samples` are not looked at.

        Args:
            inputs: Images (N, 3, H, W), as the data preprocessor made them.
            data_samples: Ignored.
            mode: 'tensor', 'loss' or 'predict'.

        Returns:
            Scores or predictions as of `ImageClassifier`; with 'loss', the Kullback-Leibler divergence of the
            student's probabilities from the teacher's, times the temperature squared, as `loss`, and the share of
            images in which both prefer the same class, as `agreement`.
        """
        if mode != 'loss':
            return super().forward(inputs, data_samples, mode)
        normalise = self.data_preprocessor
        wanted = self.teacher.to(inputs.device)(inputs * normalise.std + normalise.mean)
        scores = self.scores(inputs)
        divergence = F.kl_div(
            F.log_softmax(scores / self.temperature, 1),
            F.log_softmax(wanted / self.temperature, 1),
            reduction='batchmean',
            log_target=True,
        )
        agreement = (scores.argmax(1) == wanted.argmax(1)).float().mean()
        return dict(loss=divergence * self.temperature**2, agreement=agreement)
