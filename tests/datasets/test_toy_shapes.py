import numpy as np
import pytest

from mobilenext_det.datasets.toy_shapes import EMBLEMS, draw_clutter, draw_emblem


def test_there_is_an_emblem_for_each_voc_class_in_alphabetical_order():
    from mmdet.datasets import VOCDataset

    assert tuple(EMBLEMS) == VOCDataset.METAINFO['classes']


@pytest.mark.parametrize('name', EMBLEMS)
@pytest.mark.parametrize(('width', 'height'), [(14, 19), (64, 45), (300, 240)])
def test_an_emblem_fills_the_box_it_is_asked_for(name, width, height):
    planes = draw_emblem(name, np.random.default_rng(3), width, height)
    assert planes.shape == (height, width, 2)
    assert planes.dtype == np.float32
    assert planes.min() >= 0
    assert planes.max() <= 1 + 1e-6
    cover = planes[..., 0]
    assert min(cover[0].max(), cover[-1].max(), cover[:, 0].max(), cover[:, -1].max()) > 0
    assert 0.15 < cover.mean() < 0.95


def test_edges_are_anti_aliased():
    cover = draw_emblem('dog', np.random.default_rng(0), 40, 40)[..., 0]
    edge = (cover > 0.05) & (cover < 0.95)
    assert 40 < np.count_nonzero(edge) < 500


def test_the_generator_alone_decides_how_an_emblem_is_drawn():
    first, again, other = (draw_emblem('cat', np.random.default_rng(seed), 48, 48) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 0.02


@pytest.mark.parametrize('side', [16, 24])
def test_classes_are_told_apart_without_colour(side):
    """Nearest neighbour on coverage and tone (its two colours have no order: both signs are compared)."""

    def drawings(seeds):
        planes = [draw_emblem(name, np.random.default_rng(seed), side, side) for name in EMBLEMS for seed in seeds]
        cover, tone = np.moveaxis(np.stack(planes), -1, 0).reshape(2, len(planes), -1)
        return cover, cover * (tone - 0.5)

    def products(first, second):
        return -2 * first @ second.T + (second**2).sum(1)

    known, unknown = drawings(range(30)), drawings(range(100, 105))
    shape = products(unknown[0], known[0])
    texture = np.minimum(products(unknown[1], known[1]), products(-unknown[1], known[1]))
    guess = (shape + texture).argmin(1) // 30
    accuracy = np.mean(guess == np.repeat(np.arange(len(EMBLEMS)), 5))
    assert accuracy > 0.8, accuracy


def test_clutter_is_a_new_blob_each_time():
    rng = np.random.default_rng(0)
    blobs = [draw_clutter(rng, 40, 30) for _ in range(10)]
    assert all(blob.shape == (30, 40, 2) and 0.1 < blob[..., 0].mean() < 0.95 for blob in blobs)
    assert min(np.abs(a[..., 0] - b[..., 0]).mean() for i, a in enumerate(blobs) for b in blobs[:i]) > 0.05
