"""What source files become: our networks, of the size that the weights have, and where each weight comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor, nn

from mobilenext_det.errors import UsageError
from mobilenext_det.models import MobileNeXt, SSDLiteHead, SSDLiteNeck, TappedMobileNetV2, backbone_features

from .names import Names, extra_levels, predictors
from .reading import Source

PRIORS = 6  # a cell, at every level


@dataclass(frozen=True)
class Target:
    """What a source file is to become.

    Attributes:
        model: The network; its parts are called as in a detector.
        names: The layer in the source for each layer of the model.
        width: The backbone's width multiplier.
        classes: Number of classes of a detector; None for a classifier or a backbone alone.
        changes: What is done to a weight on its way, by its name in the model.
    """

    model: nn.ModuleDict
    names: Names
    width: float
    classes: int | None = None
    changes: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)

    @property
    def network(self) -> type[nn.Module]:
        """Class of the backbone."""
        return type(self.model['backbone'])

    def __str__(self) -> str:
        """Return the network in words."""
        backbone = f'{"MobileNeXt" if self.network is MobileNeXt else "MobileNetV2"} of width {self.width:g}'
        return f'SSDLite on {backbone}, {self.classes} classes' if self.classes else backbone


def classifier(
    network: type[nn.Module], width: float, source: Source, *, name: Callable[..., Names], theirs: str, linear: str
) -> Target:
    """Return a backbone, and the linear layer if there is one, called as in mmpretrain.

    Args:
        network: Class of the backbone.
        width: Its width multiplier.
        source: What the file holds.
        name: Names the backbone's layers.
        theirs: Where they are in the source.
        linear: The linear layer in the source.
    """
    backbone = _backbone(network, width)
    model = nn.ModuleDict(dict(backbone=backbone))
    names = name(backbone, 'backbone', theirs)
    if f'{linear}.weight' in source.weights:
        classes = len(source.weights[f'{linear}.weight'])
        model['head'] = nn.ModuleDict(dict(fc=nn.Linear(backbone_features(backbone)[-1].channels, classes)))
        names['head.fc'] = linear
    return Target(model, names, width)


def ssdlite(network: type[nn.Module], width: float, source: Source, *, name: Callable[..., Names]) -> Target:
    """Return the authors' detector.

    Args:
        network: Class of the backbone.
        width: Its width multiplier.
        source: What the file holds.
        name: Names the backbone's layers.

    Raises:
        UsageError: If the source has no scores to count the classes of.
    """
    backbone = _backbone(network, width)
    neck = SSDLiteNeck(
        in_channels=[feature.channels for feature in backbone_features(backbone)],
        block='sandglass' if network is MobileNeXt else 'inverted_residual',
    )
    scores = f'box_head.predictor.cls_headers.{len(neck.out_channels) - 1}.weight'
    rows = len(source.weights.get(scores, ()))
    if rows < 2 * PRIORS or rows % PRIORS:
        raise UsageError(f'{source.file} has no {scores} with the scores of {PRIORS} priors.')
    head = SSDLiteHead(num_classes=rows // PRIORS - 1, in_channels=neck.out_channels)
    names = {
        **name(backbone, 'backbone', 'backbone.features'),
        **extra_levels(neck, 'neck', 'backbone.extras'),
        **predictors(head, 'bbox_head', 'box_head.predictor'),
    }
    changes = {
        f'bbox_head.cls_convs.{level}.{len(list(predictor.children())) - 1}.{leaf}': partial(
            background_last, priors=PRIORS
        )
        for level, predictor in enumerate(head.cls_convs)
        for leaf in ('weight', 'bias')
    }
    model = nn.ModuleDict(dict(backbone=backbone, neck=neck, bbox_head=head))
    return Target(model, names, width, head.num_classes, changes)


def background_last(scores: Tensor, priors: int) -> Tensor:
    """Move the background from the first of each prior's scores to the last; everything else keeps its order.

    Args:
        scores: Weights or biases of the layer that puts out scores, (priors * (1 + classes), ...).
        priors: Priors of a cell.
    """
    return scores.unflatten(0, (priors, -1)).roll(-1, dims=1).flatten(0, 1)


def _backbone(network: type[nn.Module], width: float) -> MobileNeXt | TappedMobileNetV2:
    """Return a backbone tapped as the authors' SSDLite does."""
    if network is MobileNeXt:
        return MobileNeXt(width, out_indices=(5, 7, 7), taps=('expansion', 'expansion', 'block'))
    return TappedMobileNetV2(widen_factor=width)
