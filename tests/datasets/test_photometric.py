import numpy as np
import pytest
from mmdet.datasets.transforms import PhotoMetricDistortion

from mobilenext_det.datasets import SSDPhotoMetricDistortion


@pytest.fixture
def image():
    """Every kind of colour: any, grey, pure and dark."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 64, 3))
    image[:16] = rng.integers(0, 256, (16, 64, 1))
    image[16:24] = rng.integers(0, 2, (8, 64, 3)) * 255
    image[24:32] = rng.integers(0, 34, (8, 64, 3))
    return image.astype(np.uint8)


def draw(seed):
    np.random.seed(seed)
    transform = SSDPhotoMetricDistortion()
    return transform._random_flags()


def run(transform, image, seed):
    np.random.seed(seed)
    return transform(dict(img=image.copy()))['img']


def test_same_draws_give_the_pixels_of_a_float_reference(image, distort):
    for seed in range(100):
        result = run(SSDPhotoMetricDistortion(), image, seed)
        assert result.dtype == np.float32
        assert result.flags.c_contiguous
        np.testing.assert_allclose(result, distort(image, draw(seed)), atol=0.1)


def test_draws_are_those_of_the_recipe():
    draws = [draw(seed) for seed in range(2000)]
    flags = np.array([d[:6] for d in draws])
    assert np.isin(flags, (0, 1)).all()
    np.testing.assert_allclose(flags.mean(0), 0.5, atol=0.05)
    deltas, factors, saturations, turns = np.array([d[6:10] for d in draws]).T
    for values, low, high in ((deltas, -32, 32), (factors, 0.5, 1.5), (saturations, 0.5, 1.5), (turns, -18, 18)):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
    orders, counts = np.unique([d[10] for d in draws], axis=0, return_counts=True)
    assert len(orders) == 6
    assert counts.min() > 250


def test_nothing_drawn_changes_nothing(image):
    seed = next(seed for seed in range(1000) if not any(draw(seed)[1:6]))
    np.testing.assert_allclose(run(SSDPhotoMetricDistortion(), image, seed), image, atol=1e-3)


def test_stock_transform_differs_only_where_it_cuts_saturation(image):
    differing = 0
    for seed in range(60):
        ours, stock = (run(make(), image, seed) for make in (SSDPhotoMetricDistortion, PhotoMetricDistortion))
        flags = draw(seed)
        if flags[3] and flags[8] > 1:
            differing += np.abs(ours - stock).max() > 2
        else:
            np.testing.assert_allclose(ours, stock, atol=1e-3)
    assert differing > 5
