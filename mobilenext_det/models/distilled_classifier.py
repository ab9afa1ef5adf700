"""Classifiers that learn what a teacher says of images without labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn

from .classifier import ImageClassifier


class _Taught(BaseModel):
    """What has a teacher, which is built when training begins and is in no checkpoint.

    Args:
        teacher: Config of a `Teacher`.
        temperature: What both networks' scores are divided by before the softmax.
        kwargs: Arguments of what comes next in the order of inheritance.

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
        return MODELS.build(self._teacher_config).to(memory_format=torch.channels_last)

    def teach(self, inputs: Tensor) -> Tensor:
        """Return the teacher's scores (N, classes) of images (N, 3, H, W), as the data preprocessor made them."""
        normalise = self.data_preprocessor
        return self.teacher.to(inputs.device)(inputs * normalise.std + normalise.mean)

    def compare(self, scores: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """Hold a student's scores (N, classes) to the teacher's.

        Returns:
            The Kullback-Leibler divergence of the student's probabilities from the teacher's, times the temperature
            squared, as `loss`, and the share of images in which both prefer the same class, as `agreement`.
        """
        divergence = F.kl_div(
            F.log_softmax(scores / self.temperature, 1),
            F.log_softmax(wanted / self.temperature, 1),
            reduction='batchmean',
            log_target=True,
        )
        agreement = (scores.argmax(1) == wanted.argmax(1)).float().mean()
        return dict(loss=divergence * self.temperature**2, agreement=agreement)


@MODELS.register_module()
class DistilledClassifier(_Taught, ImageClassifier):
    """`ImageClassifier` whose targets are a frozen teacher's probabilities for the same view (arXiv 1503.02531).

    Teacher and student see the same crop, colours and all, so that the teacher's answer is about what the student
    looks at ("consistent teaching", arXiv 2106.05237). Checkpoints hold the student alone, with the names that
    `ImageClassifier` gives it.

    Args:
        teacher: Config of a `Teacher`.
        temperature: What both networks' scores are divided by before the softmax.
        kwargs: Arguments of `ImageClassifier`; `num_classes` must be the teacher's.

    Raises:
        ValueError: If the temperature is not positive.
    """

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor] | list[Tensor]:
        """As `ImageClassifier`; the loss is the divergence from the teacher, and `data_samples` are not looked at.

        Args:
            inputs: Images (N, 3, H, W), as the data preprocessor made them.
            data_samples: Ignored.
            mode: 'tensor', 'loss' or 'predict'.

        Returns:
            Scores or predictions as of `ImageClassifier`; with 'loss', the divergence as `loss` and the share of
            images in which both prefer the same class as `agreement`.
        """
        if mode != 'loss':
            return super().forward(inputs, data_samples, mode)
        return self.compare(self.scores(inputs), self.teach(inputs))


@MODELS.register_module()
class DistilledClassifiers(_Taught):
    """Several students of one teacher, side by side: each view is made, and looked at by the teacher, once for all.

    Nothing is shared between them but images, teacher and steps, which makes their backbones comparable: the sum of
    their losses has the gradients of each alone, and an optimiser that treats every weight by itself (not one that
    clips the norm of all gradients together) trains each as if it were alone.

    Args:
        students: Config of each `ImageClassifier` by its name; weights are called `students.NAME.backbone.*`, so that
            a detector takes them by `prefix='students.NAME.backbone.'`.
        kwargs: `teacher` and `temperature` as of `DistilledClassifier`, `data_preprocessor` as of mmengine's
            `BaseModel`.

    Raises:
        ValueError: If there is no student, or the temperature is not positive.
    """

    def __init__(self, students: Mapping[str, dict], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not students:
            raise ValueError('students names no network: give one or more, such as students=dict(mobilenext=...).')
        self.students = nn.ModuleDict(
            {name: MODELS.build(dict(type='ImageClassifier', **student)) for name, student in students.items()}
        )

    def forward(self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor') -> dict[str, Tensor]:
        """Hold each student to the teacher, or classify images with each.

        Args:
            inputs: Images (N, 3, H, W), as the data preprocessor made them.
            data_samples: Ignored.
            mode: 'tensor' or 'loss'.

        Returns:
            Scores before the softmax (N, classes) by student; with 'loss', `NAME.loss` and `NAME.agreement`.
        """
        scores = {name: student(inputs) for name, student in self.students.items()}
        if mode != 'loss':
            return scores
        wanted = self.teach(inputs)
        return {
            f'{name}.{key}': value
            for name, given in scores.items()
            for key, value in self.compare(given, wanted).items()
        }
