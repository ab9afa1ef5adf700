"""The network that is searched: every edge has all operations, and architecture parameters that weigh them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn

from mobilenext_det.errors import UsageError

from .cells import STEM_MULTIPLIER, CellInputs, CellPlan, cifar_stem, edge_stride, plan_cells
from .genotype import CELLS, INPUTS, NODES, Cell, Edge, Genotype
from .mixed import MixedOperation, PartialMixedOperation
from .operations import NONE, operations_of

SOURCES = tuple(range(INPUTS, INPUTS + NODES))
"""How many states each node can read: 2, 3, 4 and 5, fourteen edges in all."""


class MixedCell(nn.Module):
    """A cell in which each node reads all states before it, by mixed operations.

    Args:
        plan: Where it stands.
        operations: The operations of its edges.
        partial: K of PC-DARTS, or 1.
    """

    def __init__(self, plan: CellPlan, operations: Sequence[str], partial: int) -> None:
        super().__init__()
        self.kind = CELLS[plan.reduce]
        self.inputs = CellInputs(plan, affine=False)
        strides = [edge_stride(plan, source) for sources in SOURCES for source in range(sources)]
        self.edges = nn.ModuleList(
            MixedOperation(operations, plan.channels, stride)
            if partial == 1
            else PartialMixedOperation(operations, plan.channels, stride, partial)
            for stride in strides
        )

    def forward(self, states: tuple[Tensor, Tensor], weights: Tensor, edge_weights: Tensor) -> Tensor:
        """Compute the cell's output.

        Args:
            states: Its two inputs.
            weights: The weights of each edge's operations, (14, operations).
            edge_weights: The weight of each edge among those of its node, (14,).
        """
        nodes = [prepare(state) for prepare, state in zip(self.inputs, states, strict=True)]
        edge = 0
        for sources in SOURCES:
            each = [
                edge_weights[edge + source] * self.edges[edge + source](nodes[source], weights[edge + source])
                for source in range(sources)
            ]
            nodes.append(torch.stack(each).sum(0))
            edge += sources
        return torch.cat(nodes[INPUTS:], dim=1)


@MODELS.register_module()
class Supernet(BaseModel):
    """The searched network of DARTS as a classifier, and one step of its first-order bilevel search.

    The architecture parameters are learned on one half of the images, the weights on the other, by turns: the
    architecture's gradient is taken at the weights as they are (1806.09055, section 2.3, `xi = 0`). A batch has images
    of both halves alternating, as `HalvesSampler` gives them: even places are the weights', odd ones the
    architecture's.

    Args:
        space: The search space, 'darts' or 'sandglass'.
        channels: Channels of a node in the first cells.
        cells: How many cells.
        num_classes: Number of classes.
        partial: K of PC-DARTS (1907.05737): operations see one channel of K, and each node's edges get weights of
            their own, without which partial channels make the choice unstable; 1 for DARTS itself.
        data_preprocessor: What batches go through first.
        init_cfg: Initialisation; the default is PyTorch's own, as DARTS's is.

    Attributes:
        architecture: The architecture parameters: of each edge's operations (14, operations) and, with partial
            channels, of the edges (14,), for both kinds of cells.
        architecture_learns: Whether a step trains them; `ArchitectureWarmupHook` holds them still at first.

    Raises:
        UsageError: For an unknown space, fewer than three cells, or channels that K does not divide.
    """

    def __init__(
        self,
        space: str = 'darts',
        channels: int = 16,
        cells: int = 8,
        num_classes: int = 10,
        partial: int = 1,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(data_preprocessor, init_cfg)
        if partial < 1 or channels % partial:
            raise UsageError(f'channels={channels} must be a multiple of partial={partial}.')
        self.num_classes = num_classes
        self.space, self.operations, self.partial = space, operations_of(space), partial
        stem = STEM_MULTIPLIER * channels
        plans = list(plan_cells(cells, channels, (stem, stem)))
        self.stem = cifar_stem(stem)
        self.cells = nn.ModuleList(MixedCell(plan, self.operations, partial) for plan in plans)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(plans[-1].out_channels, num_classes))
        shapes: dict[str, tuple[int, ...]] = {name: (sum(SOURCES), len(self.operations)) for name in CELLS}
        if partial > 1:
            shapes |= {f'{name}_edges': (sum(SOURCES),) for name in CELLS}
        self.architecture = nn.ParameterDict(
            {name: nn.Parameter(1e-3 * torch.randn(shape)) for name, shape in shapes.items()}
        )
        self.architecture_learns = True

    def operation_weights(self, cell: str) -> Tensor:
        """Return the weights of each edge's operations, (14, operations), whose rows sum to 1.

        Args:
            cell: 'normal' or 'reduce'.
        """
        return self.architecture[cell].softmax(1)

    def edge_weights(self, cell: str) -> Tensor:
        """Return the weight of each edge, (14,): they sum to 1 over each node's, or are 1 without partial channels.

        Args:
            cell: 'normal' or 'reduce'.
        """
        if self.partial == 1:
            return torch.ones_like(self.architecture[cell][:, 0])
        return torch.cat([edges.softmax(0) for edges in self.architecture[f'{cell}_edges'].split(SOURCES)])

    def forward(
        self, inputs: Tensor, data_samples: Tensor | None = None, mode: str = 'tensor'
    ) -> Tensor | dict[str, Tensor]:
        """Classify images.

        Args:
            inputs: Images (N, 3, H, W).
            data_samples: The class of each image, int64 (N,); only the loss needs it.
            mode: 'tensor' or 'loss'.

        Returns:
            Scores before the softmax (N, classes), float32; with 'loss', their cross entropy as `dict(loss=...)`.
        """
        scores = self.head(self.features(inputs)).float()
        if mode != 'loss':
            return scores
        assert data_samples is not None
        return dict(loss=F.cross_entropy(scores, data_samples))

    def features(self, inputs: Tensor) -> Tensor:
        """Return the last cell's output (N, 16 channels, H / 4, W / 4) for images (N, 3, H, W)."""
        weights = {cell: (self.operation_weights(cell), self.edge_weights(cell)) for cell in CELLS}
        before_last = last = self.stem(inputs)
        for cell in self.cells:
            before_last, last = last, cell((before_last, last), *weights[str(cell.kind)])
        return last

    def train_step(self, data: dict, optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Train the architecture on its half of a batch, then the weights on theirs.

        Args:
            data: A batch.
            optim_wrapper: Those of `architecture` and `weights`.

        Returns:
            The loss of the weights as `loss`, and that of the architecture, before its step, as `architecture_loss`.

        Raises:
            UsageError: If the batch has an odd number of images.
        """
        data = self.data_preprocessor(data, training=True)
        inputs, labels = data['inputs'], data['data_samples']
        if len(labels) % 2:
            raise UsageError(
                f'A batch of a search has as many images for the architecture as for the weights: {len(labels)} are an '
                'odd number, set train_dataloader.batch_size to an even one.'
            )
        losses = {}
        if self.architecture_learns:
            losses['architecture_loss'] = self._step(optim_wrapper['architecture'], inputs[1::2], labels[1::2])
        return dict(loss=self._step(optim_wrapper['weights'], inputs[::2], labels[::2]), **losses)

    def _step(self, wrapper: OptimWrapper, inputs: Tensor, labels: Tensor) -> Tensor:
        """Make one step of an optimiser; gradients are computed for its own parameters only."""
        with wrapper.optim_context(self):
            loss = self(inputs, labels, mode='loss')['loss']
        own = [parameter for group in wrapper.param_groups for parameter in group['params']]
        wrapper.backward(loss, inputs=own)
        wrapper.step()
        wrapper.zero_grad()
        return loss.detach()

    @torch.no_grad()
    def genotype(self) -> Genotype:
        """Derive the cells: each node keeps the two edges whose strongest operation but `none` weighs most."""
        normal, reduce = (
            _strongest(self.operation_weights(cell) * self.edge_weights(cell)[:, None], self.operations)
            for cell in CELLS
        )
        return Genotype(self.space, normal, reduce)


def _strongest(weights: Tensor, operations: Sequence[str]) -> Cell:
    """Derive one cell of the weights (14, operations) of its edges; where two are equal the first counts."""
    nodes = []
    for edges in weights.split(SOURCES):
        best = []
        for source, row in enumerate(edges.tolist()):
            weight, place = max((w, -place) for place, w in enumerate(row) if operations[place] != NONE)
            best.append((weight, Edge(operations[-place], source)))
        first, second = sorted(best, key=lambda pair: -pair[0])[:2]
        nodes.append((first[1], second[1]))
    return tuple(nodes)
