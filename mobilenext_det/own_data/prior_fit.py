"""Priors that fit the objects of a data set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from mmdet.structures.bbox import bbox_overlaps
from torch import Tensor

from mobilenext_det.models.priors import REFERENCE_SIZE, SSDLitePriorGenerator

SIX_LEVELS, SEVEN_LEVELS = (16, 32, 64, 107, 160, 320), (8, 16, 32, 64, 107, 160, 320)
STEPS, WORTH_A_STEP = (0.4, 0.2), 1e-3  # of logarithms, and the overlap that one must win
SMALLEST = 4  # pixels of an input of 320
SAMPLE = 300  # objects that are looked at while the fit is searched for
ENOUGH = 0.65  # IoU above which a better prior is worth nothing: boxes are regressed anyway
MATCHED = 0.5  # IoU from which a prior is assigned to an object in SSD


@dataclass(frozen=True)
class Priors:
    """Sizes and shapes of the priors, as `SSDLitePriorGenerator` takes them: in pixels of an input of 320.

    Attributes:
        strides: Of each level.
        min_sizes: Side of each level's smaller square.
        max_sizes: The larger square has side sqrt(min * max).
        ratios: Aspect ratios of each level.
    """

    strides: tuple[int, ...]
    min_sizes: tuple[int, ...]
    max_sizes: tuple[int, ...]
    ratios: tuple[tuple[float, ...], ...]

    def settings(self) -> dict[str, Any]:
        """Return them as arguments of `SSDLitePriorGenerator`."""
        return asdict(self)


AUTHORS = Priors(
    (16, 32, 64, 120, 160, 320), (45, 90, 135, 180, 225, 270), (120, 180, 220, 260, 300, 320), ((2, 3),) * 6
)


def best_overlap(boxes: Tensor, priors: Priors, input_size: int) -> Tensor:
    """Return the IoU of each object with its best prior, (N,).

    Args:
        boxes: Objects (N, 4) as (x1, y1, x2, y2), in shares of the image's width and height.
        priors: The priors.
        input_size: Side of the network's input.
    """
    generator = SSDLitePriorGenerator(input_size, **priors.settings())
    levels = torch.cat(generator.grid_priors(generator.map_sizes))
    return torch.cat([bbox_overlaps(part * input_size, levels).amax(1) for part in boxes.split(256)])


def fit_priors(boxes: Tensor, labels: Tensor, input_size: int, strides: Sequence[int] = SIX_LEVELS) -> Priors:
    """Search sizes and shapes whose best priors overlap the objects most, from the authors' on, by coordinate descent.

    Sought are the size at which each level begins and the next one ends, and two aspect ratios. k-means over the boxes,
    as YOLO has it, fits widths and heights alone; here every prior stands where it stands in the network, so that what
    a coarse grid costs counts.

    Args:
        boxes: Objects (N, 4) as (x1, y1, x2, y2), in shares of the image's width and height.
        labels: Class of each object, (N,). Every class counts the same, so that a rare one is not forgotten.
        input_size: Side of the network's input.
        strides: Of the levels, in pixels of an input of 320.
    """
    order = torch.randperm(len(boxes), generator=torch.Generator().manual_seed(0))[:SAMPLE]
    boxes, labels = boxes[order], labels[order]
    weights = labels.bincount().clamp(min=1).float().reciprocal()[labels]

    def worth(point: Sequence[float]) -> float:
        overlap = best_overlap(boxes, _priors(point, strides), input_size).clamp(max=ENOUGH)
        return float((overlap * weights).sum() / weights.sum())

    sizes = (*AUTHORS.min_sizes, REFERENCE_SIZE)
    finer = (AUTHORS.min_sizes[0] / 2,) * (len(strides) - len(AUTHORS.strides))
    point = [*map(math.log, (*finer, *sizes, *AUTHORS.ratios[0]))]
    best = worth(point)
    for step in STEPS:
        improved = True
        while improved:
            improved = False
            for index in range(len(point)):
                for move in (step, -step):
                    tried = [*point[:index], point[index] + move, *point[index + 1 :]]
                    if (value := worth(tried)) > best + WORTH_A_STEP:
                        point, best, improved = tried, value, True
    return _priors(point, strides)


def _priors(point: Sequence[float], strides: Sequence[int]) -> Priors:
    """Return the priors of logarithms: where each level begins and the last ends, and the two aspect ratios."""
    values = [math.exp(value) for value in point]
    sizes = sorted(round(min(max(value, SMALLEST), REFERENCE_SIZE)) for value in values[:-2])
    ratios = tuple(sorted(round(max(value, 1.1), 2) for value in values[-2:]))
    return Priors(tuple(strides), tuple(sizes[:-1]), tuple(sizes[1:]), (ratios,) * len(strides))
