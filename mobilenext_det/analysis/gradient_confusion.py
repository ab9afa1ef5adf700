"""Gradient confusion: whether mini-batches pull a network's weights in the same direction.

Sankararaman et al., "The Impact of Neural Network Overparameterization on Gradient Confusion and Stochastic Gradient
Descent" (1904.06963): gradients g_i, g_j of two mini-batches at the same weights are confused where their inner product
is negative; the confusion bound is the smallest eta >= 0 with <g_i, g_j> >= -eta for all pairs. The distribution of
their cosine similarity is comparable between networks, whose gradients differ in size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from mmengine.model import BaseModel
from torch import Tensor

from .complexity import part_of, stage_of

WHOLE = 'network'


@dataclass(frozen=True)
class Confusion:
    """How the gradients of N mini-batches agree.

    Attributes:
        cosines: Cosine similarity of each of the N (N - 1) / 2 pairs.
        mean_norm: Mean length of the gradients.
        min_inner_product: The smallest inner product of a pair; negated, it is the paper's confusion bound.
    """

    cosines: list[float]
    mean_norm: float
    min_inner_product: float

    @property
    def mean_cosine(self) -> float:
        """Mean over the pairs."""
        return sum(self.cosines) / len(self.cosines)

    @property
    def confused(self) -> float:
        """Share of the pairs whose inner product is negative."""
        return sum(cosine < 0 for cosine in self.cosines) / len(self.cosines)


def confusion(gradients: Tensor) -> Confusion:
    """Compare the rows of a matrix of gradients pair by pair, in float64.

    Args:
        gradients: (N, P), one flattened gradient a row, N of 2 and more. A gradient of 0 has cosine 0 with all others.
    """
    gradients = gradients.double()
    products = gradients @ gradients.T
    norms = products.diagonal().sqrt()
    cosines = products / (norms[:, None] * norms).clamp(min=torch.finfo(torch.float64).tiny)
    pairs = tuple(torch.triu_indices(len(gradients), len(gradients), offset=1))
    return Confusion(
        cosines=cosines[pairs].clamp(-1, 1).tolist(),
        mean_norm=norms.mean().item(),
        min_inner_product=products[pairs].min().item(),
    )


def group_of(parameter: str) -> str:
    """Return what a parameter is grouped with: its stage in the backbone, or its part of the detector elsewhere."""
    part = part_of(parameter)
    return stage_of(parameter).removeprefix('backbone.') if part == 'backbone' else part


def batch_gradient(model: BaseModel, batch: dict) -> tuple[float, dict[str, Tensor]]:
    """Return a batch's training loss and its gradient at the model's weights, flattened for each group of parameters.

    Everything is float32: at the start of training bfloat16 gradients are rounding noise for the most part. Weight
    decay, the same for all batches, is no part of the gradient. Batch norm's mode is the caller's choice.

    Args:
        model: The detector.
        batch: As the train data loader gives it.
    """
    model.zero_grad(set_to_none=True)
    loss, _ = model.parse_losses(model(**model.data_preprocessor(batch, training=True), mode='loss'))
    loss.backward()
    groups: dict[str, list[Tensor]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            groups.setdefault(group_of(name), []).append(gradient.flatten().cpu())
    return loss.item(), {group: torch.cat(parts) for group, parts in groups.items()}


def gradient_confusion(gradients: Iterable[dict[str, Tensor]]) -> dict[str, Confusion]:
    """Compare gradients over the whole network, and by group.

    Args:
        gradients: What `batch_gradient` returns for each mini-batch.
    """
    gradients = list(gradients)
    groups = {group: torch.stack([gradient[group] for gradient in gradients]) for group in gradients[0]}
    return {group: confusion(rows) for group, rows in {WHOLE: torch.cat([*groups.values()], 1), **groups}.items()}
