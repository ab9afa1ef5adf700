"""The image classifier that a detector's backbone is pretrained in."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModel
from torch import Tensor, nn

from .features import backbone_features


@MODELS.register_module()
class ImageClassifier(BaseModel):
    """A backbone, global average pooling, dropout and a linear layer, as MobileNeXt and MobileNetV2 end.

    Weights are called `backbone.*` and `head.fc.*`, as in mmpretrain and as `tools/convert_weights.py` writes them, so
    that a detector takes a checkpoint as it is: `init_cfg=dict(type='Pretrained', checkpoint=FILE,
    prefix='backbone.')`.

    Args:
        backbone: A backbone; the last of its outputs is pooled.
        num_classes: Number of classes.
        dropout: Share of the pooled features that is set to zero in training; the authors use 0.2.
        label_smoothing: Share of the target's probability that is spread over all classes (1512.00567, section 7).
        data_preprocessor: What batches go through first, as for mmengine's `BaseModel`.
        init_cfg: Initialisation; the default is the authors', N(0, 0.01) and zero biases in the linear layer.

    Raises:
        ValueError: If there is no class, or dropout or label smoothing is no share.

    Examples:
        >>> import torch
        >>> from mobilenext_det.models import ImageClassifier
        >>> backbone = dict(type='MobileNeXt', out_indices=(7,), total_stride=8)
        >>> tuple(ImageClassifier(backbone, num_classes=10)(torch.rand(2, 3, 32, 32)).shape)
        (2, 10)
    """

    def __init__(
        self,
        backbone: dict,
        num_classes: int = 1000,
        dropout: float = 0.2,
        label_smoothing: float = 0.0,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] = dict(type='Normal', layer='Linear', std=0.01),
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if num_classes < 1:
            raise ValueError(f'num_classes must be 1 or more, but is {num_classes}.')
        for name, share in dict(dropout=dropout, label_smoothing=label_smoothing).items():
            if not 0 <= share < 1:
                raise ValueError(f'{name} must lie in [0, 1), but is {share}.')
        self.num_classes = num_classes
        self.label_smoothing = label_smoothing
        self.backbone = MODELS.build(backbone)
        self.head = nn.Sequential(
            OrderedDict(
                pool=nn.AdaptiveAvgPool2d(1),
                flatten=nn.Flatten(),
                dropout=nn.Dropout(dropout),
                fc=nn.Linear(backbone_features(self.backbone)[-1].channels, num_classes),
            )
        )

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor] | list[Tensor]:
        """Classify images.

        Args:
            inputs: Images (N, 3, H, W).
            data_samples: The class of each image, int64 (N,); only the loss needs it.
            mode: 'tensor', 'loss' or 'predict'.

        Returns:
            Scores before the softmax (N, classes), float32; with 'loss', their cross entropy with the classes as
            `dict(loss=...)`; with 'predict', one tensor of scores (classes,) for each image.
        """
        scores = self.scores(inputs)
        if mode == 'loss':
            assert data_samples is not None
            return dict(loss=F.cross_entropy(scores, data_samples, label_smoothing=self.label_smoothing))
        return list(scores) if mode == 'predict' else scores

    def scores(self, inputs: Tensor) -> Tensor:
        """Return scores before the softmax (N, classes) of images (N, 3, H, W).

        They are float32 whatever type autocast chose before: a softmax needs it.
        """
        return self.head(self.backbone(inputs)[-1]).float()
