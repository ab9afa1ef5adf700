"""Which network, priors, size, batch and length fit a data set, a machine and a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .labels import LabelledImage
from .prior_fit import AUTHORS, MATCHED, SEVEN_LEVELS, SIX_LEVELS, Priors, best_overlap, fit_priors

INPUT_SIZES = (320, 512)
SMALL = 32  # pixels of the network's input; the side of what COCO calls small
WORTH_A_LEVEL = 0.02  # share of the objects that a level at stride 8 must win
BATCH_SIZE = 24
VARIED = 0.3  # deviation of the logarithm of an object's side within its class: 0.16 of blood cells, 0.74 of VOC2007's


@dataclass(frozen=True)
class PriorRecall:
    """How many objects of a size have a prior with IoU 0.5.

    Attributes:
        size: What sizes, in words.
        objects: Number of objects.
        before: Share of them with the authors' priors, or None without objects.
        after: Share of them with the fitted ones.
    """

    size: str
    objects: int
    before: float | None
    after: float | None


@dataclass(frozen=True)
class Plan:
    """What was chosen for a data set.

    Attributes:
        input_size: Side of the network's input.
        priors: The priors.
        recall: How many objects have a prior, by size, and all.
        batch_size: Images a step.
        crops: Whether to train on cropped views, too.
    """

    input_size: int
    priors: Priors
    recall: tuple[PriorRecall, ...]
    batch_size: int
    crops: bool


def make_plan(images: Sequence[LabelledImage], classes: Sequence[str], input_size: int | None = None) -> Plan:
    """Choose from the training images.

    A level at stride 8 is taken if it gives two objects in a hundred more a prior of IoU 0.5; the larger input if one
    object in ten would still be smaller than 10 pixels at the smaller one. Cropped views, which show objects in other
    sizes, are taken if the objects of a class differ in size anyway, as in photographs; where they do not, as under a
    microscope, such views would teach what does not occur.

    Args:
        images: The training images.
        classes: The classes.
        input_size: Side of the network's input; None to choose.
    """
    boxes, labels = _objects(images, classes)
    sides = (boxes[:, 2:] - boxes[:, :2]).prod(1).sqrt()
    size = input_size or INPUT_SIZES[bool(float(sides.quantile(0.1)) * INPUT_SIZES[0] < 10)]
    priors = fit_priors(boxes, labels, size, SIX_LEVELS)
    finer = fit_priors(boxes, labels, size, SEVEN_LEVELS)
    reached, finely = (float((best_overlap(boxes, each, size) >= MATCHED).float().mean()) for each in (priors, finer))
    priors = finer if finely - reached >= WORTH_A_LEVEL else priors
    batch_size = max(2, min(BATCH_SIZE, len(images) // 2))
    return Plan(size, priors, _recall(boxes, sides, priors, size), batch_size, _spread(sides, labels) > VARIED)


def _spread(sides: Tensor, labels: Tensor) -> float:
    """Return how much objects of the same class differ in size: the deviation of the logarithms of their sides."""
    logarithms = sides.log()
    for label in labels.unique():
        logarithms[labels == label] -= logarithms[labels == label].mean()
    return float(logarithms.std(correction=0))


def _objects(images: Sequence[LabelledImage], classes: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Return all objects that are trained on: boxes (N, 4) in shares of the image, and labels (N,)."""
    label = {name: index for index, name in enumerate(classes)}
    found = [(each, image.size) for image in images for each in image.objects if not each.difficult]
    boxes = torch.tensor([each.box for each, _ in found])
    return boxes / torch.tensor([size * 2 for _, size in found]), torch.tensor([label[each.name] for each, _ in found])


def _recall(boxes: Tensor, sides: Tensor, priors: Priors, input_size: int) -> tuple[PriorRecall, ...]:
    pixels = sides * input_size
    hits = [best_overlap(boxes, each, input_size) >= MATCHED for each in (AUTHORS, priors)]
    groups = {
        f'under {SMALL} px': pixels < SMALL,
        f'{SMALL} to {3 * SMALL} px': (pixels >= SMALL) & (pixels < 3 * SMALL),
        f'over {3 * SMALL} px': pixels >= 3 * SMALL,
        'all': torch.ones_like(pixels, dtype=torch.bool),
    }
    return tuple(
        PriorRecall(
            name, int(group.sum()), *(float(hit[group].float().mean()) if group.any() else None for hit in hits)
        )
        for name, group in groups.items()
    )
