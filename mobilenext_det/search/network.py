"""The network of a genotype, as a backbone for classifiers and detectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmcv.cnn.bricks import DropPath
from mmdet.registry import MODELS
from mmengine.model import BaseModule
from torch import Tensor, nn

from mobilenext_det.errors import UsageError

from .cells import STEM_MULTIPLIER, CellInputs, CellPlan, cifar_stem, edge_stride, plan_cells, reduction_cells
from .genotype import CELLS, INPUTS, Genotype, read_genotype
from .operations import make_operation

TOTAL_STRIDES = (4, 32)


class DerivedCell(nn.Module):
    """A cell whose nodes have the two edges that a genotype names.

    Args:
        plan: Where it stands.
        genotype: The genotype.
    """

    def __init__(self, plan: CellPlan, genotype: Genotype) -> None:
        super().__init__()
        self.inputs = CellInputs(plan, affine=True)
        self.nodes = getattr(genotype, CELLS[plan.reduce])
        self.edges = nn.ModuleList(
            make_operation(edge.operation, plan.channels, edge_stride(plan, edge.source))
            for node in self.nodes
            for edge in node
        )
        self.drop_path = DropPath(0.0)

    def forward(self, states: tuple[Tensor, Tensor]) -> Tensor:
        """Compute the cell's output of its two inputs."""
        outputs = [prepare(state) for prepare, state in zip(self.inputs, states, strict=True)]
        edges = iter(self.edges)
        for node in self.nodes:
            first, second = (self._edge(next(edges), outputs[edge.source]) for edge in node)
            outputs.append(first + second)
        return torch.cat(outputs[INPUTS:], dim=1)

    def _edge(self, operation: nn.Module, state: Tensor) -> Tensor:
        """Apply an edge, which drop path leaves out for some images, unless it is the identity."""
        return state if isinstance(operation, nn.Identity) else self.drop_path(operation(state))


@MODELS.register_module()
class SearchedNetwork(BaseModule):
    """The network of a genotype: stacked cells, of which those at a third and two thirds halve the size.

    `feature_info` lists `channels` and `stride` of each output, so that `SSDLite` and `ImageClassifier` take it as any
    other backbone.

    Args:
        genotype: The genotype's JSON file, as tools/search.py writes it, or what it holds.
        space: The search space that the genotype must be of; None for any.
        channels: Channels of a node in the first cells.
        cells: How many cells.
        total_stride: 4 for images of 32 pixels, whose stem keeps their size, or 32, with DARTS's stem for ImageNet.
        out_indices: Which sizes come out, 0 to 2: the output of the last cell of each. (1, 2) are strides 16 and 32 of
            a detector, (2,) is the end alone.
        init_cfg: Initialisation; the default is PyTorch's own, as DARTS's is.

    Raises:
        UsageError: If the genotype cannot be read or is of another space, or there is no such output, size or stride.

    Examples:
        >>> import torch
        >>> node = [['sep_conv_3x3', 0], ['skip_connect', 1]]
        >>> genotype = dict(space='darts', normal=[node] * 4, reduce=[node] * 4)
        >>> [tuple(f.shape) for f in SearchedNetwork(genotype, cells=5, channels=8)(torch.rand(1, 3, 32, 32))]
        [(1, 128, 8, 8)]
    """

    def __init__(
        self,
        genotype: str | Path | Mapping[str, Any],
        space: str | None = None,
        channels: int = 36,
        cells: int = 20,
        total_stride: int = 4,
        out_indices: Sequence[int] = (2,),
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if total_stride not in TOTAL_STRIDES:
            raise UsageError(f'total_stride must be one of {TOTAL_STRIDES}, but is {total_stride}.')
        if not out_indices or not set(out_indices) <= {0, 1, 2}:
            raise UsageError(f'out_indices must name sizes 0 to 2, but is {tuple(out_indices)}.')
        self.genotype = read_genotype(genotype, space)
        small = total_stride == TOTAL_STRIDES[0]
        stem = (STEM_MULTIPLIER if small else 1) * channels
        self.stem = nn.Sequential(*([cifar_stem(stem)] if small else _imagenet_stems(stem)))
        plans = list(plan_cells(cells, channels, (stem, stem), after_reduction=not small))
        self.cells = nn.ModuleList(DerivedCell(plan, self.genotype) for plan in plans)
        last_of_size = [end - 1 for end in (*reduction_cells(cells), cells)]
        self.ends = [last_of_size[index] for index in out_indices]
        self.auxiliary_cell = reduction_cells(cells)[1]
        self.auxiliary_channels = plans[self.auxiliary_cell].out_channels
        self.feature_info = [
            dict(channels=plans[end].out_channels, stride=total_stride * 2**index // 4)
            for end, index in zip(self.ends, out_indices, strict=True)
        ]

    def outputs(self, x: Tensor) -> Iterator[Tensor]:
        """Yield the output of every cell for images (N, 3, H, W)."""
        before_last = self.stem[0](x)
        last = self.stem[1:](before_last)
        for cell in self.cells:
            before_last, last = last, cell((before_last, last))
            yield last

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Map images (N, 3, H, W) to one feature (N, channels, H / stride, W / stride) per entry of `feature_info`."""
        features = {index: output for index, output in enumerate(self.outputs(x)) if index in self.ends}
        return tuple(features[end] for end in self.ends)

    def forward_with_auxiliary(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last cell's output, and that of the second reduction cell, which an auxiliary head reads."""
        outputs = list(self.outputs(x))
        return outputs[-1], outputs[self.auxiliary_cell]


def _imagenet_stems(channels: int) -> list[nn.Module]:
    """Return the stem's two parts, of strides 4 and 2, whose outputs are the first cell's two inputs."""

    def halve(cin: int, cout: int) -> list[nn.Module]:
        return [nn.Conv2d(cin, cout, 3, 2, 1, bias=False), nn.BatchNorm2d(cout)]

    first = nn.Sequential(*halve(3, channels // 2), nn.ReLU(), *halve(channels // 2, channels))
    return [first, nn.Sequential(nn.ReLU(), *halve(channels, channels))]
