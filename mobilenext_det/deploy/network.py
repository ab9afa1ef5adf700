"""A trained SSDLite detector as one function from pictures to scored boxes, ready to be exported."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from mobilenext_det.inference.detector import Detector
from mobilenext_det.models.ssdlite_head import flatten_levels

from .fit import find_fit, require_exportable
from .normalisation import Normalisation
from .trim import trim_kernels

# As MMDetection decodes: a box is at most so many times (in logarithm) as wide or high as its prior.
MAX_LOG_RATIO = 4.135166556742356


class ExportableNetwork(nn.Module):
    """Normalisation, network, softmax and box decoding in one.

    Args:
        detector: A trained detector whose head is `SSDLiteHead`.
        float_input: Whether it takes float32 (N, 3, height, width), 0 to 255, as most engines of phones and boards
            want it, instead of uint8 (N, height, width, 3), as pictures lie in memory.

    Attributes:
        fit: How a picture is brought to its input size.
        description: What a program needs to know about the network, as plain values: `classes`; `input_size`, the side
            of a square input in pixels, or [width, height]; `padding`, the RGB colour beside a picture that keeps its
            aspect ratio, or None if it is stretched; `float_input`; `score_threshold`, `iou_threshold` and
            `max_detections` of its `test_cfg`.

    Raises:
        UsageError: If the detector has another head or box coder, or its test pipeline prepares pictures in a way that
            exported files cannot.
    """

    prior_centres: Tensor
    prior_sizes: Tensor
    target_means: Tensor
    target_stds: Tensor

    def __init__(self, detector: Detector, float_input: bool = False) -> None:
        super().__init__()
        head = require_exportable(detector)
        # Its batch norms are folded; exporters want its weights in the usual format.
        model = copy.deepcopy(detector.model).cpu().to(memory_format=torch.contiguous_format)
        self.backbone, self.neck, self.head = model.backbone, model.neck, model.bbox_head
        self.float_input = float_input
        self.normalise = Normalisation(detector, float_input)

        generator = head.prior_generator
        size = torch.tensor([generator.width, generator.height] * 2)
        corners = torch.cat(generator.grid_priors(generator.map_sizes)) / size
        self.register_buffer('prior_centres', (corners[:, :2] + corners[:, 2:]) / 2)
        self.register_buffer('prior_sizes', corners[:, 2:] - corners[:, :2])
        self.score_channels = head.cls_out_channels  # with the background
        coder, test_cfg = head.bbox_coder, head.test_cfg
        self.register_buffer('target_means', torch.tensor(coder.means))
        self.register_buffer('target_stds', torch.tensor(coder.stds))
        self.eval().requires_grad_(False)
        self.fit = find_fit(detector)
        trim_kernels(self, self.example())
        self.description = dict(
            classes=list(detector.classes),
            input_size=self.fit.width if self.fit.width == self.fit.height else [self.fit.width, self.fit.height],
            padding=self.fit.padding and list(self.fit.padding),
            float_input=float_input,
            score_threshold=test_cfg.score_thr,
            iou_threshold=test_cfg.nms.iou_threshold,
            max_detections=test_cfg.max_per_img,
        )

    def example(self, number: int = 1) -> Tensor:
        """Return an input of so many black pictures."""
        shape = (number, self.fit.height, self.fit.width, 3)
        black = torch.zeros(shape, dtype=torch.uint8)
        return black.permute(0, 3, 1, 2).float().contiguous() if self.float_input else black

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Find candidates.

        Args:
            images: RGB pictures of the input size, uint8 (N, height, width, 3), as images lie in memory; with
                `float_input`, float32 (N, 3, height, width), 0 to 255.

        Returns:
            Corners (x1, y1, x2, y2) as shares of the input's width and height, (N, priors, 4), and probabilities of
            the classes without the background, (N, priors, classes).
        """
        scores, deltas = self.head(self.neck(self.backbone(self.normalise(images))))
        probabilities = flatten_levels(scores, self.score_channels).softmax(-1)[..., :-1]
        return self._decode(flatten_levels(deltas, 4)), probabilities

    def _decode(self, deltas: Tensor) -> Tensor:
        """Turn box deltas (N, priors, 4) into corners."""
        deltas = deltas * self.target_stds + self.target_means
        centres = self.prior_centres + deltas[..., :2] * self.prior_sizes
        halves = self.prior_sizes * deltas[..., 2:].clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO).exp() / 2
        return torch.cat([centres - halves, centres + halves], dim=-1)
