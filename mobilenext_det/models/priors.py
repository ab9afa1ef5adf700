"""Default boxes (priors) of SSDLite."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from mmdet.models.task_modules.prior_generators import SSDAnchorGenerator
from mmdet.registry import TASK_UTILS
from torch import Tensor

from mobilenext_det.errors import UsageError

REFERENCE_SIZE = 320
SMALLEST_SIDE = 160


def width_and_height(input_size: int | Sequence[int]) -> tuple[int, int]:
    """Return width and height of a network's input in pixels.

    Args:
        input_size: The side of a square, or (width, height), in the order of mmdet's `Resize.scale`.

    Raises:
        UsageError: If it is neither, or too small for six levels.
    """
    sides = tuple(input_size) if isinstance(input_size, Sequence) else (input_size, input_size)
    if len(sides) != 2 or not all(isinstance(side, int) for side in sides):
        raise UsageError(f'input_size must be one integer or (width, height), but is {input_size!r}.')
    if min(sides) < SMALLEST_SIDE:
        raise UsageError(f'input_size must be {SMALLEST_SIDE} or more for six levels, but is {input_size}.')
    width, height = sides
    return width, height


def map_sides(input_side: int, num_levels: int, stride: int = 16) -> list[int]:
    """Return the side of each level's map in cells: the first has the stride, each next one is half, rounding up."""
    sides = [math.ceil(input_side / stride)]
    while len(sides) < num_levels:
        sides.append(math.ceil(sides[-1] / 2))
    return sides


@TASK_UTILS.register_module()
class SSDLitePriorGenerator(SSDAnchorGenerator):
    """Six priors a cell: two squares and two aspect ratios with their inverses; each clamped to the image's size.

    Sizes and strides are given at 320 pixels. At another input size the sizes scale with it (for a rectangle with the
    root of its area, so that they cover the same share of it) and the strides follow from the maps. Stock
    `SSDAnchorGenerator` makes the same boxes in the same order, but never clamps them: the authors' code clamps centre
    and size, which changes width or height of 12 of the 3234 priors. Corners may leave the image.

    Args:
        input_size: Side of the network's input in pixels, from 160 up, or (width, height).
        strides: Distance in pixels between the centres of each level, at an input of 320. The fourth is 120 in the
            authors' configuration and 107 (320 / 3, rounded) in other SSDLite configurations.
        min_sizes: Side of the smaller square of each level at 320 pixels.
        max_sizes: The larger square has side sqrt(min * max).
        ratios: Aspect ratios of each level; their inverses are added.

    Attributes:
        width, height: Of the network's input, in pixels.
        map_sizes: Height and width of each level's map, in cells.

    Raises:
        UsageError: For an input size under 160, or one that is no size.
    """

    def __init__(
        self,
        input_size: int | Sequence[int] = REFERENCE_SIZE,
        strides: Sequence[float] = (16, 32, 64, 120, 160, 320),
        min_sizes: Sequence[float] = (45, 90, 135, 180, 225, 270),
        max_sizes: Sequence[float] = (120, 180, 220, 260, 300, 320),
        ratios: Sequence[Sequence[float]] = ((2, 3),) * 6,
    ) -> None:
        self.width, self.height = width_and_height(input_size)
        scale = math.sqrt(self.width * self.height) / REFERENCE_SIZE
        columns, rows = (map_sides(side, len(strides), round(strides[0])) for side in (self.width, self.height))
        self.map_sizes = list(zip(rows, columns, strict=True))
        pairs: list = list(strides)
        if (self.width, self.height) != (REFERENCE_SIZE, REFERENCE_SIZE):
            # As torchvision's `DefaultBoxGenerator` spaces its boxes when it is given no steps.
            pairs = [(self.width / column, self.height / row) for row, column in self.map_sizes]
        super().__init__(
            strides=pairs,
            ratios=ratios,
            min_sizes=[size * scale for size in min_sizes],
            max_sizes=[size * scale for size in max_sizes],
            scale_major=False,
        )
        self.input_size = input_size
        self.min_sizes, self.max_sizes = tuple(min_sizes), tuple(max_sizes)

    def __repr__(self) -> str:
        """Return the arguments; the stock method wants an attribute that only its other form has."""
        square = self.width == self.height
        return (
            f'{type(self).__name__}(input_size={self.input_size}, '
            f'strides={[pair[0] if square else pair for pair in self.strides]}, '
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
            UsageError: If the maps are not those of an input of `input_size`.
        """
        given = [tuple(size) for size in featmap_sizes]
        if given != self.map_sizes:
            raise UsageError(
                f'The priors are for maps of {self.map_sizes} cells, height and width (input_size={self.input_size}), '
                f'but the network gave {given}: let Resize and input_size agree, and Pad what keeps its aspect ratio.'
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
        centre = self._clamp((priors[:, :2] + priors[:, 2:]) / 2)
        half = self._clamp(priors[:, 2:] - priors[:, :2]) / 2
        return torch.cat((centre - half, centre + half), dim=1)

    def _clamp(self, pairs: Tensor) -> Tensor:
        """Clamp (n, 2) to the image."""
        return torch.stack((pairs[:, 0].clamp(0, self.width), pairs[:, 1].clamp(0, self.height)), dim=1)
