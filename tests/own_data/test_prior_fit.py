import pytest
import torch

from mobilenext_det.own_data.prior_fit import AUTHORS, MATCHED, SEVEN_LEVELS, SIX_LEVELS, best_overlap, fit_priors


def boxes(sides, ratio=1.0, count=60):
    """Objects of about these sides (in pixels of 320) anywhere in the image, in shares of it."""
    draw = torch.Generator().manual_seed(3)
    side = torch.tensor(sides)[torch.randint(len(sides), (count,), generator=draw)] / 320
    side = side * (0.9 + 0.2 * torch.rand(count, generator=draw))
    size = torch.stack((side * ratio**0.5, side / ratio**0.5), 1)
    corner = torch.rand(count, 2, generator=draw) * (1 - size)
    return torch.cat((corner, corner + size), 1), torch.randint(2, (count,), generator=draw)


def recall(objects, priors):
    return float((best_overlap(objects, priors, 320) >= MATCHED).float().mean())


@pytest.mark.parametrize(('sides', 'ratio'), [((60.0, 120.0), 4.0), ((30.0,), 1.0)])
def test_more_objects_have_a_prior(sides, ratio):
    objects, labels = boxes(sides, ratio)
    fitted = fit_priors(objects, labels, 320)
    assert recall(objects, fitted) > recall(objects, AUTHORS) + 0.1
    assert len(fitted.min_sizes) == len(fitted.ratios) == 6


def test_small_objects_need_the_finer_grid():
    objects, labels = boxes((16.0, 24.0))
    coarse, fine = (fit_priors(objects, labels, 320, strides) for strides in (SIX_LEVELS, SEVEN_LEVELS))
    assert recall(objects, fine) > recall(objects, coarse) + 0.2
    assert recall(objects, fine) > 0.9


def test_the_overlap_is_that_of_the_best_prior():
    objects = torch.tensor([[1.5, 1.5, 46.5, 46.5]]) / 320  # a square of 45 on the centre of the second cell
    assert float(best_overlap(objects, AUTHORS, 320)) == pytest.approx(1)
