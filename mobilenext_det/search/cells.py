"""How cells are put together: what a supernet and a network of a genotype share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import nn

from mobilenext_det.errors import UsageError

from .genotype import INPUTS, NODES
from .operations import FactorizedReduce, ReLUConvBN

STEM_MULTIPLIER = 3


class CellPlan(NamedTuple):
    """Where a cell stands in a network.

    Attributes:
        before_last: Channels of its input 0, the output of the cell before the last.
        last: Channels of its input 1, the output of the last cell.
        channels: Channels of its nodes; its output has four times as many.
        reduce: Whether it halves the size.
        after_reduction: Whether the cell before did, so that input 0 is twice as large as input 1.
    """

    before_last: int
    last: int
    channels: int
    reduce: bool
    after_reduction: bool

    @property
    def out_channels(self) -> int:
        """Channels of its output, the nodes' concatenation."""
        return NODES * self.channels


def reduction_cells(cells: int) -> tuple[int, int]:
    """Return which cells of a network halve the size and double the channels: those at a third and two thirds."""
    return cells // 3, 2 * cells // 3


def plan_cells(cells: int, channels: int, stem: tuple[int, int], after_reduction: bool = False) -> Iterator[CellPlan]:
    """Yield the cells of a network.

    Args:
        cells: How many.
        channels: Channels of a node in the first of them.
        stem: Channels of the first cell's two inputs.
        after_reduction: Whether the first of these is twice as large as the second.

    Raises:
        UsageError: If there are fewer than three.
    """
    if cells < 3:
        raise UsageError(f'cells must be 3 or more, one of each size, but is {cells}.')
    before_last, last = stem
    for index in range(cells):
        reduce = index in reduction_cells(cells)
        channels *= 2 if reduce else 1
        plan = CellPlan(before_last, last, channels, reduce, after_reduction)
        yield plan
        before_last, last, after_reduction = last, plan.out_channels, reduce


class CellInputs(nn.ModuleList):
    """Bring a cell's two inputs to its channels and to one size.

    Args:
        plan: The cell.
        affine: Whether batch norm has a scale and a shift.
    """

    def __init__(self, plan: CellPlan, affine: bool) -> None:
        first = FactorizedReduce if plan.after_reduction else ReLUConvBN
        super().__init__([first(plan.before_last, plan.channels, affine), ReLUConvBN(plan.last, plan.channels, affine)])


def edge_stride(plan: CellPlan, source: int) -> int:
    """Return the stride of an edge: 2 where a reduction cell reads its inputs."""
    return 2 if plan.reduce and source < INPUTS else 1


def cifar_stem(channels: int) -> nn.Sequential:
    """Return the stem for images of 32 pixels, which keeps their size.

    Args:
        channels: Channels of its output.
    """
    return nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
