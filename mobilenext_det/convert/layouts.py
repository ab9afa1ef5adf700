"""The kinds of source files: how each is told from the names in it, and its network's width from the shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from mobilenext_det.errors import UsageError
from mobilenext_det.models import MobileNeXt, TappedMobileNetV2

from .names import mmpretrain, mobilenext, torchvision
from .reading import Source
from .targets import Target, classifier, ssdlite

KINDS = ('mobilenext-official', 'mobilenext-ssdlite-official', 'torchvision', 'mmpretrain', 'paddle')
# The stage before the last layers: the axis that has its channels, and how many they are at width 1. A twentieth of
# them is a multiple of 8, so that they are not rounded at any width in use.
_STAGES = {MobileNeXt: (0, 960), TappedMobileNetV2: (1, 320)}


@dataclass(frozen=True)
class Layout:
    """One way in which source files name a network's weights.

    Attributes:
        kind: The kind of file.
        network: Class of the backbone.
        key: A weight that no other layout has: of the layer that reads the stage in `_STAGES`.
        make: Makes the target of the backbone's class, the width, and the source.
    """

    kind: str
    network: type[nn.Module]
    key: str
    make: Callable[[type[nn.Module], float, Source], Target]


_OFFICIAL = partial(classifier, name=mobilenext, theirs='features', linear='classifier.1')
_TORCHVISION = partial(classifier, name=torchvision, theirs='features', linear='classifier.1')
_MMPRETRAIN = partial(classifier, name=mmpretrain, theirs='backbone', linear='head.fc')
_SSDLITE, _SSDLITE_V2 = partial(ssdlite, name=mobilenext), partial(ssdlite, name=torchvision)
LAYOUTS = (
    Layout('mobilenext-official', MobileNeXt, 'features.20.conv.0.weight', _OFFICIAL),
    Layout('mobilenext-ssdlite-official', MobileNeXt, 'backbone.features.20.conv.0.weight', _SSDLITE),
    Layout('mobilenext-ssdlite-official', TappedMobileNetV2, 'backbone.features.18.0.weight', _SSDLITE_V2),
    Layout('torchvision', TappedMobileNetV2, 'features.18.0.weight', _TORCHVISION),
    Layout('mmpretrain', TappedMobileNetV2, 'backbone.conv2.conv.weight', _MMPRETRAIN),
)


def find_layout(source: Source, kind: str) -> Layout:
    """Find out how a source file names its weights.

    Args:
        source: What the file holds.
        kind: The kind that it has to be, or 'auto'; files of Paddle follow the authors or torchvision.

    Raises:
        UsageError: If it is of no kind that is known, or of another one.
    """
    layout = next((layout for layout in LAYOUTS if layout.key in source.weights), None)
    if layout is None:
        raise UsageError(
            f'{source.file} is none of {", ".join(KINDS)}, or not whole: its {len(source.weights)} weights have names '
            f'such as {next(iter(source.weights))}.'
        )
    if kind not in ('auto', 'paddle', layout.kind):
        raise UsageError(f'{source.file} is of the kind {layout.kind}, not {kind}: leave --kind out.')
    return layout


def make_target(source: Source, layout: Layout) -> Target:
    """Build what a source file is to become, on the meta device, of the size that its shapes tell.

    Args:
        source: What the file holds.
        layout: How it names its weights.

    Raises:
        UsageError: If no width and no number of classes have such shapes.
    """
    shape, (axis, channels) = source.weights[layout.key].shape, _STAGES[layout.network]
    width = round(shape[axis] / channels, 2) if len(shape) == 4 else 0
    if not width > 0:
        raise UsageError(f'{layout.key} in {source.file} has the shape {tuple(shape)}, which no width of it has.')
    with torch.device('meta'):
        return layout.make(layout.network, width, source)
