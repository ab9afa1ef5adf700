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

from mobilenext_det.engine.evaluate import Evaluation, evaluate

from .formats import open_exported


@MODELS.register_module()
class ExportedModel(BaseModel):
    """An exported file in the place of a model, for MMDetection's test loop.

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
            inputs: Pictures as a test pipeline packs them, (3, size, size), BGR, uint8.
            data_samples: What is known of them; `ori_shape` is needed.
            mode: 'predict', as there is nothing to train.
        """
        found = self.detector.find(np.stack([_to_rgb(image) for image in inputs]))
        for sample, one in zip(data_samples, found, strict=True):
            height, width = sample.ori_shape
            boxes = one.boxes * np.array([width, height, width, height], np.float32)
            rows = dict(bboxes=boxes, scores=one.scores, labels=one.labels)
            sample.pred_instances = InstanceData(**{name: torch.from_numpy(rows[name]) for name in rows})
        return data_samples


def _to_rgb(inputs: Tensor) -> np.ndarray:
    return np.ascontiguousarray(inputs.numpy().transpose(1, 2, 0)[..., ::-1])


def evaluate_exported(config: Config, path: str | Path, **settings: Any) -> Evaluation:
    """Evaluate an exported file on the test set of a config.

    Args:
        config: The config, which stays as it is.
        path: The exported file.
        **settings: As for `mobilenext_det.engine.evaluate.evaluate`.
    """
    exported = copy.deepcopy(config)
    exported.model = dict(type='ExportedModel', path=str(path))
    return evaluate(exported, None, **settings)
