import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import Expand
from mmdet.structures.bbox import HorizontalBoxes

from mobilenext_det.datasets import SSDExpand
from mobilenext_det.errors import UsageError

MEAN = (123, 117, 104)


def entry(dtype):
    img = np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype(dtype)
    return dict(img=img, img_shape=(37, 51), gt_bboxes=HorizontalBoxes(torch.tensor([[3.0, 4.0, 20.0, 30.0]])))


@pytest.mark.parametrize('dtype', [np.float32, np.uint8])
@pytest.mark.parametrize('to_rgb', [True, False])
def test_same_draws_give_what_the_stock_transform_gives(dtype, to_rgb):
    expanded = 0
    for seed in range(60):
        np.random.seed(seed)
        stock = Expand(mean=MEAN, to_rgb=to_rgb)(entry(dtype))
        np.random.seed(seed)
        ours = SSDExpand(mean=MEAN, to_rgb=to_rgb)(entry(dtype))
        np.testing.assert_array_equal(ours['img'], stock['img'])
        assert ours['img'].dtype == dtype
        assert ours['img_shape'] == stock['img_shape']
        assert torch.equal(ours['gt_bboxes'].tensor, stock['gt_bboxes'].tensor)
        expanded += ours['img_shape'] != (37, 51)
    assert 15 < expanded < 45


def test_canvas_and_place_by_the_recipe():
    """Ratio, left and top in the recipe's order, canvas and offsets cut to whole pixels."""
    for seed in range(20):
        rng = np.random.RandomState(seed)
        rng.uniform(0, 1)
        ratio = rng.uniform(1, 4)
        left, top = int(rng.uniform(0, 51 * ratio - 51)), int(rng.uniform(0, 37 * ratio - 37))
        expected = np.empty((int(37 * ratio), int(51 * ratio), 3))
        expected[:] = (104, 117, 123)  # BGR
        expected[top : top + 37, left : left + 51] = entry(np.float32)['img']
        np.random.seed(seed)
        result = SSDExpand(mean=MEAN, to_rgb=True, prob=1)(entry(np.float32))
        np.testing.assert_array_equal(result['img'], expected)
        assert result['gt_bboxes'].tensor.tolist() == [[3 + left, 4 + top, 20 + left, 30 + top]]


@pytest.mark.parametrize('mean', ['123', (1, 2), (1, None, 3), 5], ids=repr)
def test_a_mean_that_is_no_colour_is_refused(mean):
    with pytest.raises(UsageError, match='The mean of SSDExpand must be three numbers, but is '):
        SSDExpand(mean=mean)
