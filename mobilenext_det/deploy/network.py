"""A trained SSDLite detector as one function from pictures to scored boxes, ready to be exported."""

from __future__ import annotations

import copy

import torch
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder
from torch import Tensor, nn

from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector
from mobilenext_det.models import SSDLiteHead
from mobilenext_det.models.ssdlite_head import flatten_levels

# As MMDetection decodes: a box is at most so many times (in logarithm) as wide or high as its prior.
MAX_LOG_RATIO = 4.135166556742356


class ExportableNetwork(nn.Module):
    """Normalisation, network, softmax and box decoding in one.

    Args:
        detector: A trained detector whose head is `SSDLiteHead`.

    Attributes:
        description: What a program needs to know about the network, as plain values: `classes`; `input_size`, the side
            of the square input in pixels; `score_threshold`, `iou_threshold` and `max_detections` of its `test_cfg`.

    Raises:
        UsageError: If the detector has another head or box coder.
    """

    scale: Tensor
    shift: Tensor
    prior_centres: Tensor
    prior_sizes: Tensor
    target_means: Tensor
    target_stds: Tensor

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        head = detector.model.bbox_head
        if not isinstance(head, SSDLiteHead) or type(head.bbox_coder) is not DeltaXYWHBBoxCoder:
            raise UsageError(
                f'{detector.config.filename}: only SSDLiteHead with DeltaXYWHBBoxCoder can be exported, '
                f'but this one has {type(head).__name__} and {type(getattr(head, "bbox_coder", None)).__name__}.'
            )
        # Its batch norms are folded; exporters want its weights in the usual format.
        model = copy.deepcopy(detector.model).cpu().to(memory_format=torch.contiguous_format)
        self.backbone, self.neck, self.head = model.backbone, model.neck, model.bbox_head
        generator = head.prior_generator
        size = generator.input_size
        pixels = detector.config.model.data_preprocessor
        self.flip_channels = not pixels.get('bgr_to_rgb', False)  # a network that was trained on BGR
        # One row of a picture is normalised as one vector: three channels at a time take ONNX Runtime a millisecond.
        mean, std = torch.tensor(pixels.get('mean') or [0.0] * 3), torch.tensor(pixels.get('std') or [1.0] * 3)
        self.register_buffer('scale', (1 / std).repeat(size))
        self.register_buffer('shift', (-mean / std).repeat(size))

        corners = torch.cat(generator.grid_priors([(side, side) for side in generator.map_sizes])) / size
        self.register_buffer('prior_centres', (corners[:, :2] + corners[:, 2:]) / 2)
        self.register_buffer('prior_sizes', corners[:, 2:] - corners[:, :2])
        self.score_channels = head.cls_out_channels  # with the background
        coder, test_cfg = head.bbox_coder, head.test_cfg
        self.register_buffer('target_means', torch.tensor(coder.means))
        self.register_buffer('target_stds', torch.tensor(coder.stds))
        self.description = dict(
            classes=list(detector.classes),
            input_size=size,
            score_threshold=test_cfg.score_thr,
            iou_threshold=test_cfg.nms.iou_threshold,
            max_detections=test_cfg.max_per_img,
        )
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Find candidates.

        Args:
            images: RGB pictures, stretched to the input size, uint8 (N, size, size, 3): as images lie in memory.

        Returns:
            Corners (x1, y1, x2, y2) as shares of the picture's width and height, (N, priors, 4), and probabilities of
            the classes without the background, (N, priors, classes).
        """
        if self.flip_channels:
            images = images.flip(3)
        pixels = images.flatten(2).float() * self.scale + self.shift
        pixels = pixels.view(images.shape).permute(0, 3, 1, 2)
        scores, deltas = self.head(self.neck(self.backbone(pixels)))
        probabilities = flatten_levels(scores, self.score_channels).softmax(-1)[..., :-1]
        return self._decode(flatten_levels(deltas, 4)), probabilities

    def _decode(self, deltas: Tensor) -> Tensor:
        """Turn box deltas (N, priors, 4) into corners."""
        deltas = deltas * self.target_stds + self.target_means
        centres = self.prior_centres + deltas[..., :2] * self.prior_sizes
        halves = self.prior_sizes * deltas[..., 2:].clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp() / 2
        return torch.cat([centres - halves, centres + halves], dim=-1)
