"""A trained network as a function from a picture to its detections."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.apis import init_detector
from mmdet.registry import DATASETS
from mmdet.utils import get_test_pipeline_cfg
from mmengine.runner import CheckpointLoader

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.checkpoints.checkpoint_fit import misfits
from mobilenext_det.engine.acceleration import folded
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError
from mobilenext_det.hardware import keep_freed_memory


class Detector:
    """MMDetection's ``init_detector`` and ``inference_detector``, checked, faster and with plain results.

    Batch norms are folded into the convolutions (:func:`~mobilenext_det.engine.acceleration.folded`), and the steps
    from picture to result are made once instead of for every picture.

    The class names are those in the checkpoint, or if it has none those of the config: MMDetection would take COCO's.

    Args:
        config: The config file.
        checkpoint: The weights.
        device: Where to compute, such as 'cpu' or 'cuda:0'.
        cfg_options: ``key=value`` settings.

    Attributes:
        classes: The class names.

    Raises:
        UsageError: If a file is missing or damaged, or the checkpoint does not fit the config.
    """

    def __init__(self, config: str, checkpoint: str, device: str = 'cpu', cfg_options: Sequence[str] = ()) -> None:
        cfg = load_config(config, cfg_options)
        require_checkpoint(checkpoint)
        saved = CheckpointLoader.load_checkpoint(checkpoint, 'cpu', logger='silent')
        self.model = init_detector(cfg, checkpoint, device=device)
        unfit = sum(misfits(self.model, saved.get('state_dict', saved)), [])
        if unfit:
            raise UsageError(f'{checkpoint} does not fit {config}: {len(unfit)} parameters differ, such as {unfit[0]}.')
        if 'dataset_meta' not in saved.get('meta', {}):
            self.model.dataset_meta = DATASETS.build({**cfg.test_dataloader.dataset, 'lazy_init': True}).metainfo
        self.classes = tuple(self.model.dataset_meta['classes'])
        self.model = folded(self.model)
        keep_freed_memory()
        self._pipeline = Compose([dict(type='mmdet.LoadImageFromNDArray'), *get_test_pipeline_cfg(cfg)[1:]])

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
