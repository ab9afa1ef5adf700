"""A trained network as a function from a picture to its detections."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.models import BaseDetector
from mmdet.registry import MODELS
from mmdet.utils import get_test_pipeline_cfg
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import init_default_scope
from torch import Tensor

from mobilenext_det.checkpoints import load_in_full, require_num_classes, require_same_classes
from mobilenext_det.engine.acceleration import folded
from mobilenext_det.engine.config import class_lists, load_config


class Detector:
    """MMDetection's ``init_detector`` and ``inference_detector``, checked, faster and with plain results.

    Batch norms are folded into the convolutions (:func:`~mobilenext_det.engine.acceleration.folded`), and the steps
    from picture to result are made once instead of for every picture.

    The class names are those in the checkpoint, with which the config must agree, or if it has none those of the
    config: MMDetection would take COCO's.

    Args:
        config: The config, or its file.
        checkpoint: The file of the weights, or its address.
        device: Where to compute, such as 'cpu' or 'cuda:0'.

    Attributes:
        config: The config.
        model: The network, folded.
        classes: The class names.
        pipeline_config: The test pipeline.

    Raises:
        UsageError: If a file is missing or damaged, or the checkpoint or its class names do not fit the config.
    """

    def __init__(self, config: Config | str | Path, checkpoint: str | Path, device: str = 'cpu') -> None:
        self.config = config if isinstance(config, Config) else load_config(config)
        model = _build(self.config)
        lists = class_lists(self.config, 'test_dataloader')
        for name, classes in lists.items():
            require_num_classes(model, classes, name)
        weights = load_in_full(model, checkpoint, self.config.filename)
        require_same_classes({str(checkpoint): weights.classes, **lists})
        self.classes = weights.classes or next(iter(lists.values()))
        self.model: BaseDetector = folded(model.to(device).eval())
        self.model.cfg = self.config  # where MMDetection's own functions look for it
        self.pipeline_config = get_test_pipeline_cfg(self.config)
        loader, *steps = self.pipeline_config
        loader = dict(type='mmdet.LoadImageFromNDArray', to_float32=loader.get('to_float32', False))
        self._pipeline = Compose([loader, *steps])

    def __call__(self, image: np.ndarray, score_thr: float = 0.3) -> list[dict]:
        """Detect objects.

        Args:
            image: The picture, (H, W, 3), BGR, uint8.
            score_thr: The lowest score to report.

        Returns:
            Surest first, each with 'class', 'score' and 'box', the corners (x1, y1, x2, y2) in pixels of
            the picture, cut at its borders.
        """
        with torch.no_grad():
            found = self.model.test_step(self._batch(image))[0].pred_instances
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

    def network_input(self, image: np.ndarray) -> Tensor:
        """Return what the backbone gets of a picture (H, W, 3), BGR, uint8: (1, 3, height, width), normalised."""
        return self.model.data_preprocessor(self._batch(image), False)['inputs']

    def _batch(self, image: np.ndarray) -> dict[str, list]:
        """Return the packed data of a picture, as a batch of one."""
        data = self._pipeline(dict(img=image, img_id=0))
        return {key: [value] for key, value in data.items()}


def _build(config: Config) -> BaseDetector:
    """Build a config's model, whose weights are still to come."""
    init_default_scope(config.get('default_scope', 'mmdet'))
    return revert_sync_batchnorm(MODELS.build(config.model))  # synchronised batch norm needs several processes
