"""Normalisation of fitted pictures within exported files."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mobilenext_det.inference.detector import Detector


class Normalisation(nn.Module):
    """What the data preprocessor of a detector does to channels and pixels.

    Args:
        detector: The detector.
        float_input: Whether pictures are float32 (N, 3, height, width), 0 to 255, instead of uint8 (N, height, width,
            3).
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, detector: Detector, float_input: bool = False) -> None:
        super().__init__()
        pixels = detector.config.model.data_preprocessor
        mean, std = (
            torch.tensor(pixels.get(name) or [default], dtype=torch.float32).expand(3)
            for name, default in (('mean', 0.0), ('std', 1.0))
        )
        scale, shift = 1 / std, -mean / std
        self.float_input = float_input
        # A network that was trained on BGR.
        self.flip_channels = not (pixels.get('bgr_to_rgb', False) or pixels.get('rgb_to_bgr', False))
        # One row of a picture is normalised as one vector: three channels at a time take ONNX Runtime a millisecond.
        width = detector.model.bbox_head.prior_generator.width
        self.register_buffer('scale', scale.view(3, 1, 1) if float_input else scale.repeat(width))
        self.register_buffer('shift', shift.view(3, 1, 1) if float_input else shift.repeat(width))

    def forward(self, images: Tensor) -> Tensor:
        """Return what the backbone gets, (N, 3, height, width), of RGB pictures."""
        if self.float_input:
            return (images.flip(1) if self.flip_channels else images) * self.scale + self.shift
        if self.flip_channels:
            images = images.flip(3)
        pixels = images.flatten(2).float() * self.scale + self.shift
        return pixels.view(images.shape).permute(0, 3, 1, 2)
