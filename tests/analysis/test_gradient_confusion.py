"""Cosines of known gradients, the gradient of a network with known loss, and the whole against NumPy."""

import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from torch import nn

from mobilenext_det.analysis.gradient_confusion import WHOLE, batch_gradient, confusion, gradient_confusion, group_of


def test_known_directions():
    result = confusion(torch.tensor([[3.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [6.0, 0.0]]))
    # Pairs in the order 01, 02, 03, 12, 13, 23.
    assert result.cosines == [0, -1, 1, 0, 0, -1]
    assert result.min_inner_product == -6
    assert (result.mean_norm, result.mean_cosine, result.confused) == (3, -1 / 6, 1 / 3)


def test_a_gradient_with_itself_and_with_its_opposite():
    gradient = torch.randn(1000, generator=torch.Generator().manual_seed(0))
    result = confusion(torch.stack([gradient, 5 * gradient, -gradient]))
    assert result.cosines == pytest.approx([1, -1, -1], abs=1e-12)
    assert result.min_inner_product == pytest.approx(-5 * gradient.double().square().sum().item())


def test_no_gradient_at_all():
    result = confusion(torch.tensor([[0.0, 0.0], [1.0, 1.0]]))
    assert (result.cosines, result.min_inner_product) == ([0], 0)


def test_against_numpy():
    rows = np.random.default_rng(0).normal(0, 1, (6, 500))
    rows -= rows.mean(1, keepdims=True)  # correlation is the cosine of centred rows
    result = confusion(torch.from_numpy(rows))
    pairs = np.triu_indices(6, 1)
    assert result.cosines == pytest.approx(np.corrcoef(rows)[pairs])
    assert result.min_inner_product == pytest.approx(min(rows[i] @ rows[j] for i, j in zip(*pairs, strict=True)))


class Line(BaseModel):
    """The loss is the mean of (w x - y)^2 over the batch; a frozen and an unused parameter stand by."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.stem = nn.Linear(2, 1, bias=False)
        self.backbone.frozen = nn.Linear(2, 1).requires_grad_(False)
        self.bbox_head = nn.Linear(3, 1, bias=False)
        nn.init.constant_(self.backbone.stem.weight, 1.0)

    def forward(self, inputs, data_samples=None, mode='loss'):
        inputs, targets = torch.stack(inputs), torch.tensor(data_samples)
        return dict(loss_line=(self.backbone.stem(inputs)[:, 0] - targets).square().mean())


def test_the_gradient_of_a_batch():
    model = Line()
    x, y = torch.tensor([[1.0, 2.0], [3.0, -1.0]]), [0.0, 1.0]
    for _ in range(2):  # nothing piles up from one batch to the next
        loss, groups = batch_gradient(model, dict(inputs=[*x], data_samples=y))
    assert loss == pytest.approx((3**2 + 1**2) / 2)
    assert groups['stem'].tolist() == [3 * 1 + 1 * 3, 3 * 2 - 1 * 1]
    assert groups['head'].tolist() == [0, 0, 0]
    assert set(groups) == {'stem', 'head'}


def test_groups_and_the_whole_network():
    first = dict(stem=torch.tensor([1.0, 0.0]), head=torch.tensor([2.0]))
    second = dict(stem=torch.tensor([0.0, 1.0]), head=torch.tensor([-2.0]))
    result = gradient_confusion([first, second])
    assert [*result] == [WHOLE, 'stem', 'head']
    assert [c.cosines[0] for c in result.values()] == pytest.approx([-4 / 5, 0, -1])
    assert group_of('backbone.stages.5.0.reduce.conv.weight') == 'stages.5'
    assert group_of('neck.extra_levels.1.0.bn.bias') == 'neck'
    assert group_of('bbox_head.cls_convs.0.0.conv.weight') == 'head'
