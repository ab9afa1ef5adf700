"""A trained network as a function from a picture to its detections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.models import BaseDetector
from mmdet.registry import DATASETS, MODELS
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope

from mobilenext_det.checkpoints import load_in_full
from mobilenext_det.engine.acceleration import folded
from mobilenext_det.engine.config import load_config


class Detector:
    """MMDetection's ``init_detector`` and ``inference_detector``, checked, faster and with plain results.

    Batch norms are folded into the convolutions (:func:`~mobilenext_det.engine.acceleration.folded`), and the steps
    from picture to result are made once instead of for every picture.

    The class names are those in the checkpoint, or if it has none those of the config: MMDetection would take COCO's.

    Args:
        config: The config, or its file.
        checkpoint: The file of the weights, or its address.
        device: Where to compute, such as 'cpu' or 'cuda:0'.

    Attributes:
        config: The config.
        model: The network, folded.
        classes: The class names.

    Raises:
        UsageError: If a file is missing or damaged, or the checkpoint does not fit the config.
    """

    def __init__(self, config: Config | str | Path, checkpoint: str | Path, device: str = 'cpu') -> None:
        self.config = config if isinstance(config, Config) else load_config(config)
        model = _build(self.config)
        weights = load_in_full(model, checkpoint, self.config.filename)
        self.classes = weights.classes or _test_classes(self.config)
        self.model: BaseDetector = folded(model.to(device).eval())
        self.model.cfg = self.config  # where MMDetection's own functions look for it
        pipeline = get_test_pipeline_cfg(self.config)
        self._pipeline = Compose([dict(type='mmdet.LoadImageFromNDArray'), *pipeline[1:]])

    def __call__(self, image: np.ndarray, score_thr: float = 0.3) -> list[dict]:
        """Detect objects.

        Args:
            image: The picture, (H, W, 3), BGR, uint8.
            score_thr: The lowest score to report.

        Returns:
            Surest first, each with 'class', 'score' and 'box', the corners (x1, y1, x2, y2) in pixels of
            the picture, cut at its borders.
        """
        data = self._pipeline(dict(img=image, img_id=0))
        with torch.no_grad():
            found = self.model.test_step({key: [value] for key, value in data.items()})[0].pred_instances
        found = found[found.scores >= score_thr]
        height, width = image.shape[:2]
        boxes = found.bboxes.clamp(min=0).minimum(found.bboxes.new_tensor([width, height, width, height]))
        order = torch.argsort(found.scores, descending=True, stable=True)
        return [
            {'class': self.classes[label], 'score': round(score, 4), 'box': [round(value, 1) for value in box]}
            for label, score, box in zip(
                found.labels[order].tolist(), found.scores[order].tolist(), boxes[order].tolist(), strict=True
            )
        ]


def _build(config: Config) -> BaseDetector:
    """Build a config's model, whose weights are still to come."""
    init_default_scope(config.get('default_scope', 'mmdet'))
    return revert_sync_batchnorm(MODELS.build(config.model))  # synchronised batch norm needs several processes


def _test_classes(config: Config) -> tuple[str, ...]:
    """Return the class names of a config's test set, without reading it."""
    return tuple(DATASETS.build({**config.test_dataloader.dataset, 'lazy_init': True}).metainfo['classes'])
