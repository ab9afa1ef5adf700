"""How a config's test pipeline fits a picture to the network's input, found by trying it."""

from __future__ import annotations

import numpy as np
import torch
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder
from torch import Tensor

from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector
from mobilenext_det.models import SSDLiteHead

from .normalisation import Normalisation
from .runtime import Fit

# Height and width: wide and tall, larger and smaller than any input, with sides that are rounded either way.
_SHAPES = ((100, 200), (200, 100), (333, 500), (500, 375), (64, 64), (31, 211), (427, 640), (1000, 750))
_TOLERANCE = 1e-4  # one of 255 values is some hundred times as much after any usual normalisation


def require_exportable(detector: Detector) -> SSDLiteHead:
    """Return the head of a detector that can be exported.

    Raises:
        UsageError: If it is another head, or has another box coder.
    """
    head = detector.model.bbox_head
    if not isinstance(head, SSDLiteHead) or type(head.bbox_coder) is not DeltaXYWHBBoxCoder:
        raise UsageError(
            f'{detector.config.filename}: only SSDLiteHead with DeltaXYWHBBoxCoder can be exported, '
            f'but this one has {type(head).__name__} and {type(getattr(head, "bbox_coder", None)).__name__}.'
        )
    return head


def find_fit(detector: Detector) -> Fit:
    """Find out how a picture is fitted, so that a program without MMDetection does the same.

    What the network gets in tests, after every transform and the data preprocessor, is held against what an exported
    file will get, on pictures of noise. So whatever a pipeline has is either done in the same way or noticed.

    Args:
        detector: The detector.

    Raises:
        UsageError: If the pipeline neither stretches pictures to the input size nor keeps their aspect ratio and pads
            them at the right and at the bottom with one colour.
    """
    priors = require_exportable(detector).prior_generator
    steps = detector.pipeline_config
    pipeline = f'{detector.config.filename}: the test pipeline ({", ".join(step["type"] for step in steps)})'
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in _SHAPES]
    try:
        wanted = [detector.network_input(picture).cpu() for picture in pictures]
    except Exception as error:  # a transform's own, of any type
        raise UsageError(f'{pipeline} ends in {type(error).__name__}: {error}.') from error
    shapes = {(one.shape[3], one.shape[2]) for one in wanted}
    if shapes != {(priors.width, priors.height)}:
        raise UsageError(
            f'{pipeline} gives pictures of {" and ".join(f"{w}x{h}" for w, h in sorted(shapes)[:3])} pixels, but the '
            f'priors are for {priors.width}x{priors.height}: let Resize stretch to it, or keep the ratio and Pad to it.'
        )
    normalise = Normalisation(detector)
    stretched = Fit(priors.width, priors.height)
    if steps[0].get('color_type', 'color') == 'color':
        for fit in (stretched, stretched._replace(padding=_last_colour(wanted[0], normalise, stretched))):
            if all(_same(_given(normalise, fit, one), other) for one, other in zip(pictures, wanted, strict=True)):
                return fit
    raise UsageError(
        f'{pipeline} prepares pictures in a way that exported files cannot: they stretch pictures to '
        f'{priors.width}x{priors.height}, or keep the ratio and pad them at the right and at the bottom with one '
        'colour, bilinearly and in uint8. Let the test pipeline do either.'
    )


def _given(normalise: Normalisation, fit: Fit, picture: np.ndarray) -> Tensor:
    return normalise(torch.from_numpy(fit.prepare(picture)[None]))


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=0, atol=_TOLERANCE)


def _last_colour(given: Tensor, normalise: Normalisation, fit: Fit) -> tuple[int, int, int]:
    """Return the RGB colour, 0 to 255, that was normalised to that of the last pixel of a picture."""
    grey = torch.arange(256, dtype=torch.uint8).view(256, 1, 1, 1).expand(256, 1, fit.width, 3)
    values = normalise(grey)[:, :, -1, -1]
    colour = (values - given[:, :, -1, -1]).abs().argmin(0).tolist()
    red, green, blue = reversed(colour) if normalise.flip_channels else colour
    return red, green, blue
