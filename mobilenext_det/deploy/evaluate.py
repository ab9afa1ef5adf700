"""Exported files evaluated as checkpoints are: by the same data set, loop and metric."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor

from mobilenext_det.checkpoints import require_same_classes
from mobilenext_det.engine.config import class_lists
from mobilenext_det.engine.evaluate import Evaluation, evaluate
from mobilenext_det.errors import UsageError

from .formats import open_exported


@MODELS.register_module()
class ExportedModel(BaseModel):
    """An exported file in the place of a model, for MMDetection's test loop.

    Its pictures come from a test pipeline, which has to fit them as the file is made for.

    Args:
        path: The file.
        threads: Threads for one picture; None leaves the choice to what runs it.
    """

    def __init__(self, path: str, threads: int | None = None) -> None:
        super().__init__()
        self.detector = open_exported(path, threads)

    def forward(
        self, inputs: list[Tensor], data_samples: list[DetDataSample], mode: str = 'predict'
    ) -> list[DetDataSample]:
        """Fill in `pred_instances`, with boxes in pixels of the original picture.

        Args:
            inputs: Pictures as a test pipeline packs them, (3, height, width), BGR, uint8.
            data_samples: What is known of them; `ori_shape` and `scale_factor` are needed.
            mode: 'predict', as there is nothing to train.

        Raises:
            UsageError: If the pictures are not fitted as the file is made for.
        """
        pictures = [_to_rgb(image) for image in inputs]
        for picture, sample in zip(pictures, data_samples, strict=True):
            self._check(picture, sample)
        for sample, one in zip(data_samples, self.detector.find(np.stack(pictures)), strict=True):
            boxes = self.detector.fit.restore(one.boxes, sample.ori_shape)
            rows = dict(bboxes=boxes, scores=one.scores, labels=one.labels)
            sample.pred_instances = InstanceData(**{name: torch.from_numpy(rows[name]) for name in rows})
        return data_samples

    def _check(self, picture: np.ndarray, sample: DetDataSample) -> None:
        """Hold a fitted picture, (height, width, 3), RGB, against what the file is made for."""
        fit, (height, width) = self.detector.fit, sample.ori_shape
        inner_width, inner_height = fit.inner_size(sample.ori_shape)
        columns, rows = sample.scale_factor
        as_made_for = (
            picture.shape == (fit.height, fit.width, 3)
            and picture.dtype == np.uint8
            and max(abs(columns * width - inner_width), abs(rows * height - inner_height)) <= 1  # as it is rounded
            and (
                (inner_width, inner_height) == (fit.width, fit.height) or tuple(picture[-1, -1].tolist()) == fit.padding
            )
        )
        if not as_made_for:
            raise UsageError(
                f'{self.detector.path} is made for pictures of {fit.width}x{fit.height} pixels, '
                f'{"stretched" if fit.padding is None else f"at the top left, padded with RGB {fit.padding}"}, which '
                f'the test pipeline does not make of one of {width}x{height}: evaluate the file with the config that '
                'it was exported with.'
            )


def _to_rgb(inputs: Tensor) -> np.ndarray:
    return np.ascontiguousarray(inputs.numpy().transpose(1, 2, 0)[..., ::-1])


def evaluate_exported(config: Config, path: str | Path, **settings: Any) -> Evaluation:
    """Evaluate an exported file on the test set of a config.

    Args:
        config: The config, which stays as it is.
        path: The exported file.
        **settings: As for `mobilenext_det.engine.evaluate.evaluate`.

    Raises:
        DeployError: If the file cannot be run here.
        UsageError: If its classes or its pictures are others than the config's.
    """
    require_same_classes({str(path): open_exported(path).classes, **class_lists(config, 'test_dataloader')})
    exported = copy.deepcopy(config)
    exported.model = dict(type='ExportedModel', path=str(path))
    return evaluate(exported, None, **settings)
