import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.datasets.transforms import MinIoURandomCrop
from mmdet.structures.bbox import HorizontalBoxes

from mobilenext_det.datasets import SSDRandomCrop
from mobilenext_det.datasets.crops import draw_crop


def overlap(box, crop):
    width = min(box[2], crop[2]) - max(box[0], crop[0])
    height = min(box[3], crop[3]) - max(box[1], crop[1])
    shared = max(width, 0) * max(height, 0)
    areas = [(x2 - x1) * (y2 - y1) for x1, y1, x2, y2 in (box, crop)]
    return shared / (sum(areas) - shared)


def holds_centre(crop, box):
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return crop[0] < x < crop[2] and crop[1] < y < crop[3]


def crop_by_the_recipe(width, height, boxes):
    """The recipe in plain Python, one trial after the other, with the draws the package makes."""
    if not boxes:
        return None
    while True:
        mode = [None, 0.1, 0.3, 0.7, 0.9, 0.0][np.random.randint(6)]
        if mode is None:
            return None
        sides, places = np.random.uniform(0.3, 1, (50, 2)), np.random.uniform(0, 1, (50, 2))
        for (w, h), (x, y) in zip(sides * (width, height), places, strict=True):
            if not 0.5 <= h / w <= 2:
                continue
            left, top = x * (width - w), y * (height - h)
            crop = int(left), int(top), int(left + w), int(top + h)
            if max(overlap(box, crop) for box in boxes) >= mode and any(holds_centre(crop, box) for box in boxes):
                return crop


@st.composite
def scenes(draw, min_boxes=0):
    width, height = draw(st.integers(1, 400)), draw(st.integers(1, 400))
    boxes = []
    for _ in range(draw(st.integers(min_boxes, 6))):
        x1, y1 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        boxes.append((x1, y1, draw(st.integers(x1 + 1, width)), draw(st.integers(y1 + 1, height))))
    return width, height, boxes, draw(st.integers(0, 2**32 - 1))


def entry(width, height, boxes, ignored=None):
    return dict(
        img=np.indices((height, width)).transpose(1, 2, 0).astype(np.float32),  # each pixel holds its own (y, x)
        img_shape=(height, width),
        gt_bboxes=HorizontalBoxes(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)),
        gt_bboxes_labels=np.arange(len(boxes)),
        gt_ignore_flags=np.zeros(len(boxes), dtype=bool) if ignored is None else np.array(ignored, dtype=bool),
    )


@settings(deadline=None, max_examples=300)
@given(scenes())
def test_same_draws_give_the_crop_of_the_recipe(scene):
    width, height, boxes, seed = scene
    np.random.seed(seed)
    expected = crop_by_the_recipe(width, height, boxes)
    np.random.seed(seed)
    crop = draw_crop(width, height, np.array(boxes, dtype=np.float32).reshape(-1, 4))
    assert (None if crop is None else tuple(crop.tolist())) == expected


@settings(deadline=None, max_examples=300)
@given(scenes(min_boxes=1))
def test_crop_and_its_boxes(scene):
    width, height, boxes, seed = scene
    np.random.seed(seed)
    before, after = entry(width, height, boxes), SSDRandomCrop()(entry(width, height, boxes))
    h, w = after['img_shape']
    assert after['img'].shape[:2] == (h, w)
    top, left = after['img'][0, 0].astype(int)
    np.testing.assert_array_equal(after['img'], before['img'][top : top + h, left : left + w])
    if (h, w) != (height, width):
        # Corners are cut to whole pixels, which changes a side by less than one.
        assert 0.3 * width - 1 < w <= width
        assert 0.3 * height - 1 < h <= height
        assert (h + 1) / max(w - 1, 1e-9) > 0.5
        assert max(h - 1, 0) / (w + 1) < 2

    labels = after['gt_bboxes_labels'].tolist()
    assert labels == [i for i, box in enumerate(boxes) if holds_centre((left, top, left + w, top + h), box)]
    assert len(labels) >= 1
    assert len(after['gt_bboxes']) == len(after['gt_ignore_flags']) == len(labels)
    for label, (x1, y1, x2, y2) in zip(labels, after['gt_bboxes'].tensor.tolist(), strict=True):
        assert 0 <= x1 < x2 <= w
        assert 0 <= y1 < y2 <= h
        a1, b1, a2, b2 = boxes[label]
        shown = max(a1, left), max(b1, top), min(a2, left + w), min(b2, top + h)
        assert (x1 + left, y1 + top, x2 + left, y2 + top) == shown


def test_one_object_seen_well_is_enough():
    """Stock MMDetection asks the IoU of both objects, and so shows one of two alone less than half as often."""

    def lone_share(transform):
        lone = 0
        for seed in range(150):
            np.random.seed(seed)
            after = transform(entry(300, 300, [(20, 20, 140, 140), (160, 160, 280, 280)]))
            lone += len(after['gt_bboxes_labels']) == 1
        return lone / 150

    assert lone_share(SSDRandomCrop()) > 0.5
    assert lone_share(MinIoURandomCrop(min_ious=(0.1, 0.3, 0.7, 0.9))) < 0.25


def test_all_six_modes_are_drawn():
    """One box as large as the image: its IoU is the crop's share of the image, so each mode shows in the areas."""
    areas = []
    for seed in range(600):
        np.random.seed(seed)
        height, width = SSDRandomCrop()(entry(100, 100, [(0, 0, 100, 100)]))['img_shape']
        areas.append(height * width / 1e4)
    areas = np.array(areas)
    assert 0.15 < (areas == 1).mean() < 0.35  # the mode of the whole image, and those of .9 that fail 50 times
    assert ((areas >= 0.9) & (areas < 1)).mean() > 0.02
    assert 0.05 < (areas < 0.3).mean() < 0.35  # only .1 and free
    assert areas.min() >= 0.29**2


def test_image_without_boxes_is_left_whole():
    for seed in range(20):
        np.random.seed(seed)
        after = SSDRandomCrop()(entry(50, 40, []))
        assert after['img_shape'] == (40, 50)
        assert len(after['gt_bboxes']) == 0


def test_ignored_boxes_follow_but_do_not_decide():
    whole = cropped = 0
    for seed in range(100):
        np.random.seed(seed)
        only_ignored = SSDRandomCrop()(entry(100, 100, [(20, 20, 60, 60)], [True]))
        assert only_ignored['img_shape'] == (100, 100)
        np.random.seed(seed)
        after = SSDRandomCrop()(entry(100, 100, [(60, 60, 100, 100), (0, 0, 30, 30)], [False, True]))
        assert 0 in after['gt_bboxes_labels']
        assert after['gt_ignore_flags'].tolist() == (after['gt_bboxes_labels'] == 1).tolist()
        whole += len(after['gt_bboxes_labels']) == 2
        cropped += len(after['gt_bboxes_labels']) == 1
    assert whole > 10
    assert cropped > 10


@pytest.mark.parametrize(('width', 'height'), [(1000, 40), (40, 1000), (1, 1), (1, 500), (2, 2)])
def test_image_that_allows_no_crop_ends_whole(width, height):
    for seed in range(20):
        np.random.seed(seed)
        after = SSDRandomCrop()(entry(width, height, [(0, 0, 1, 1)]))
        assert len(after['gt_bboxes']) == 1
        if max(width, height) > 7 * min(width, height):
            assert after['img_shape'] == (height, width)


def test_entry_given_is_not_changed():
    boxes = [(10, 10, 90, 80)]
    before = entry(100, 100, boxes)
    tensor = before['gt_bboxes'].tensor
    np.random.seed(1)
    SSDRandomCrop()(before)
    assert tensor.tolist() == [list(map(float, boxes[0]))]
