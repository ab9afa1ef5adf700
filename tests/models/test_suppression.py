import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import batched_nms

from mobilenext_det.models.suppression import CANDIDATES, best_of_each_object


def candidates(count, classes, spread, seed):
    """Boxes of 20 to 60 pixels within `spread` pixels; no two with one score, whose order torchvision leaves open."""
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(count, 2, generator=generator) * spread - 10
    sizes = 20 + 40 * torch.rand(count, 2, generator=generator)
    scores = torch.randperm(count, generator=generator) / max(1, count)
    labels = torch.randint(0, classes, (count,), generator=generator)
    return torch.cat((corners, corners + sizes), 1), scores, labels


def all_suppressed(boxes, scores, labels, most):
    return batched_nms(boxes - boxes.min(), scores, labels, 0.45)[:most]


@pytest.mark.parametrize('count', [1, 50, CANDIDATES, CANDIDATES + 1, 4 * CANDIDATES + 7])
@given(classes=st.sampled_from([1, 3, 20]), spread=st.sampled_from([1, 80, 320]), seed=st.integers(0, 2**32))
def test_it_is_what_suppressing_all_and_cutting_gives(count, classes, spread, seed):
    boxes, scores, labels = candidates(count, classes, spread, seed)
    kept = best_of_each_object(boxes, scores, labels, 0.45, 100)
    assert torch.equal(kept, all_suppressed(boxes, scores, labels, 100))


def test_worse_candidates_are_looked_at_while_too_few_are_kept():
    boxes, scores, labels = candidates(2 * CANDIDATES, 1, 1, 0)  # a heap in one place
    boxes[-1] += 500
    scores[-1] = -1
    kept = best_of_each_object(boxes, scores, labels, 0.45, 100)
    assert len(kept) < 100
    assert kept[-1] == len(boxes) - 1


def test_of_nothing_nothing_is_kept():
    assert best_of_each_object(*candidates(0, 1, 1, 0), 0.45, 100).tolist() == []
