"""Default boxes (priors) of SSDLite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmdet.models.task_modules.prior_generators import SSDAnchorGenerator
from mmdet.registry import TASK_UTILS
from torch import Tensor

REFERENCE_SIZE = 320


def map_sizes(input_size: int, num_levels: int) -> list[int]:
    """Return the side of each level's map in cells: the first has stride 16, each next one is half, rounding up."""
    maps = [math.ceil(input_size / 16)]
    while len(maps) < num_levels:
        maps.append(math.ceil(maps[-1] / 2))
    return maps


@TASK_UTILS.register_module()
class SSDLitePriorGenerator(SSDAnchorGenerator):
    """Six priors a cell: two squares and two aspect ratios with their inverses; each clamped to the image's size.

    Sizes and strides are given at 320 pixels. At another input size the sizes scale with it and the strides follow
    from the maps. Stock `SSDAnchorGenerator` makes the same boxes in the same order, but never clamps them: the
    authors' code clamps centre and size, which changes width or height of 12 of the 3234 priors. Corners may leave the
    image.

    Args:
        input_size: Side of the network's input in pixels, from 160 up.
        strides: Distance in pixels between the centres of each level, at an input of 320. The fourth is 120 in the
            authors' configuration and 107 (320 / 3, rounded) in other SSDLite configurations.
        min_sizes: Side of the smaller square of each level at 320 pixels.
        max_sizes: The larger square has side sqrt(min * max).
        ratios: Aspect ratios of each level; their inverses are added.

    Raises:
        ValueError: For an input size under 160.
    """

    def __init__(
        self,
        input_size: int = REFERENCE_SIZE,
        strides: Sequence[float] = (16, 32, 64, 120, 160, 320),
        min_sizes: Sequence[float] = (45, 90, 135, 180, 225, 270),
        max_sizes: Sequence[float] = (120, 180, 220, 260, 300, 320),
        ratios: Sequence[Sequence[float]] = ((2, 3),) * 6,
    ) -> None:
        if input_size < 160:
            raise ValueError(f'input_size must be 160 or more for six levels, but is {input_size}.')
        scale = input_size / REFERENCE_SIZE
        self.map_sizes = map_sizes(input_size, len(strides))
        if input_size != REFERENCE_SIZE:
            # As torchvision's `DefaultBoxGenerator` spaces its boxes when it is given no steps.
            strides = [input_size / size for size in self.map_sizes]
        super().__init__(
            strides=list(strides),
            ratios=ratios,
            min_sizes=[size * scale for size in min_sizes],
            max_sizes=[size * scale for size in max_sizes],
            scale_major=False,
        )
        self.input_size = input_size
        self.min_sizes, self.max_sizes = tuple(min_sizes), tuple(max_sizes)

    def __repr__(self) -> str:
        """Return the arguments; the stock method wants an attribute that only its other form has."""
        return (
            f'{type(self).__name__}(input_size={self.input_size}, strides={[s for s, _ in self.strides]}, '
            f'min_sizes={self.min_sizes}, max_sizes={self.max_sizes}, num_base_priors={self.num_base_priors})'
        )

    def grid_priors(
        self,
        featmap_sizes: Sequence[tuple[int, int]],
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = 'cpu',
    ) -> list[Tensor]:
        """Return the priors (H * W * 6, 4) of each level.

        Raises:
            ValueError: If the maps are not those of a square input of `input_size`.
        """
        if any(tuple(size) != (side, side) for size, side in zip(featmap_sizes, self.map_sizes, strict=True)):
            raise ValueError(
                f'The priors are for maps of {self.map_sizes} cells a side (input_size={self.input_size}), but the '
                f'network gave {[tuple(size) for size in featmap_sizes]}: let Resize and input_size agree.'
            )
        return super().grid_priors(featmap_sizes, dtype, device)

    def single_level_grid_priors(
        self,
        featmap_size: tuple[int, int],
        level_idx: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = 'cpu',
    ) -> Tensor:
        """Return one level's priors (H * W * 6, 4) as (x1, y1, x2, y2) in pixels, clamped in centre and size."""
        priors = super().single_level_grid_priors(featmap_size, level_idx, dtype, device)
        centre = ((priors[:, :2] + priors[:, 2:]) / 2).clamp(0, self.input_size)
        half = (priors[:, 2:] - priors[:, :2]).clamp(0, self.input_size) / 2
        return torch.cat((centre - half, centre + half), dim=1)
