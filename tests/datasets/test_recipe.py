"""The shipped training pipeline against the recipe in plain float arithmetic."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.config import Config
from mmengine.dataset import Compose

MEAN, STD = np.array((123, 117, 104)), 255 * np.array((0.229, 0.224, 0.225))
CONFIG = Path(__file__).parents[2] / 'configs/ssdlite_mobilenext_voc.py'
MODERN = CONFIG.with_name('ssdlite_mobilenext_voc0712_modern.py')
SIZE = (150, 110)
BOXES = [(10, 5, 60, 70), (50, 40, 149, 109), (100, 3, 130, 30), (20, 80, 29, 91)]


def bilinear(img, size):
    """Resize (H, W, 3) to size x size: the four pixels around each half-pixel centre, weighted."""
    rows, columns = (((np.arange(size) + 0.5) * length / size - 0.5).clip(0, length - 1) for length in img.shape[:2])
    top, left = rows.astype(int), columns.astype(int)
    bottom, right = np.minimum(top + 1, img.shape[0] - 1), np.minimum(left + 1, img.shape[1] - 1)
    down, along = (rows - top)[:, None, None], (columns - left)[None, :, None]
    upper = img[top][:, left] * (1 - along) + img[top][:, right] * along
    lower = img[bottom][:, left] * (1 - along) + img[bottom][:, right] * along
    return upper * (1 - down) + lower * down


def overlap(box, crop):
    shared = np.prod(np.clip(np.minimum(box[2:], crop[2:]) - np.maximum(box[:2], crop[:2]), 0, None))
    return shared / (np.prod(box[2:] - box[:2]) + np.prod(crop[2:] - crop[:2]) - shared)


def inside(box, crop):
    centre = (box[:2] + box[2:]) / 2
    return (crop[:2] < centre).all() and (centre < crop[2:]).all()


def draw_crop(rng, width, height, boxes):
    for mode in iter(lambda: rng.randint(6), 0):
        trials = zip(rng.uniform(0.3, 1, (50, 2)), rng.uniform(0, 1, (50, 2)), strict=True)
        for side, place in trials:
            side = side * (width, height)
            start = place * ((width, height) - side)
            crop = np.concatenate([start, start + side]).astype(int)
            reached = max(overlap(box, crop) for box in boxes) >= (0.1, 0.3, 0.7, 0.9, 0)[mode - 1]
            if 0.5 <= side[1] / side[0] <= 2 and reached and any(inside(box, crop) for box in boxes):
                return crop
    return np.array((0, 0, width, height))


def by_the_recipe(img, boxes, seed, size, distort):
    """Photometric, expand, crop, mirror, resize, normalise; img is BGR, the result RGB (size, size, 3)."""
    rng = np.random.RandomState(seed)
    flags = [rng.randint(2) for _ in range(6)]
    flags += [rng.uniform(-32, 32), rng.uniform(0.5, 1.5), rng.uniform(0.5, 1.5), rng.uniform(-18, 18)]
    img = distort(img, (*flags, rng.permutation(3)))[..., ::-1]
    boxes = np.array(boxes, dtype=np.float64)
    if rng.uniform(0, 1) <= 0.5:
        ratio = rng.uniform(1, 4)
        height, width = img.shape[:2]
        left, top = int(rng.uniform(0, width * ratio - width)), int(rng.uniform(0, height * ratio - height))
        canvas = np.empty((int(height * ratio), int(width * ratio), 3))
        canvas[:] = MEAN
        canvas[top : top + height, left : left + width] = img
        img, boxes = canvas, boxes + (left, top, left, top)
    crop = draw_crop(rng, img.shape[1], img.shape[0], boxes)
    img = img[crop[1] : crop[3], crop[0] : crop[2]]
    labels = [i for i, box in enumerate(boxes) if inside(box, crop)]
    boxes = boxes[labels].clip(np.tile(crop[:2], 2), np.tile(crop[2:], 2)) - np.tile(crop[:2], 2)
    height, width = img.shape[:2]
    if rng.uniform(0, 1) < 0.5:
        img = img[:, ::-1]
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    boxes = boxes * (size / width, size / height, size / width, size / height)
    return (bilinear(img, size) - MEAN) / STD, boxes, labels


@pytest.fixture
def config():
    return Config.fromfile(CONFIG)


@pytest.fixture
def image():
    """Smooth, with edges and noise."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (8, 10, 3)).astype(np.uint8)
    image = cv2.resize(small, SIZE, interpolation=cv2.INTER_CUBIC)
    image[30:60, 40:80] = (0, 0, 255)
    image[70:, :40] = rng.integers(0, 256, (SIZE[1] - 70, 40, 3))
    image[:20, 100:] //= 10
    return image


def read(voc, obj, config, image):
    path = voc.add('a', *(obj(name, np.array(box) + 1) for name, box in zip('pqrs', BOXES, strict=True)), suffix='.png')
    path.write_bytes(cv2.imencode('.png', image)[1].tobytes())
    annotation = voc.path('Annotations/a.xml')
    annotation.write_text(annotation.read_text().replace('<width>60</width><height>40</height>', ''))
    pipeline = [step for step in config.train_dataloader.dataset.pipeline if step.type != 'SeedBySample']
    return voc.read(classes=tuple('pqrs'), pipeline=pipeline)


def test_shipped_pipeline_is_the_recipe(voc, obj, config, image, distort):
    dataset = read(voc, obj, config, image)
    normalise = MODELS.build(config.model.data_preprocessor)
    boxes = [instance['bbox'] for instance in dataset.get_data_info(0)['instances']]
    for seed in range(60):
        np.random.seed(seed)
        sample = dataset[0]
        batch = normalise(dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']]), training=True)
        pixels = batch['inputs'][0].permute(1, 2, 0).double().numpy()
        found = batch['data_samples'][0].gt_instances
        expected, expected_boxes, labels = by_the_recipe(image, boxes, seed, config.input_size, distort)
        assert np.abs((pixels - expected) * STD).max() < 2
        assert found.labels.tolist() == labels
        np.testing.assert_allclose(found.bboxes.numpy(), expected_boxes, atol=1e-3)


def test_every_box_that_reaches_the_loss_has_an_area(voc, obj, config, image):
    dataset = read(voc, obj, config, image)
    for seed in range(100):
        np.random.seed(seed)
        x1, y1, x2, y2 = dataset[0]['data_samples'].gt_instances.bboxes.tensor.unbind(1)
        assert torch.all(x1 < x2)
        assert torch.all(y1 < y2)
        assert min(x1.min(), y1.min()) >= 0
        assert max(x2.max(), y2.max()) <= config.input_size


def test_canvas_around_the_image_is_zero_to_the_network(voc, obj, config, image):
    dataset = read(voc, obj, config, image)
    normalise = MODELS.build(config.model.data_preprocessor)
    zero = 0
    for seed in range(20):
        np.random.seed(seed)
        sample = dataset[0]
        batch = normalise(dict(inputs=[sample['inputs']], data_samples=[sample['data_samples']]), training=True)
        zero = max(zero, (batch['inputs'][0].abs() < 1e-5).all(0).float().mean().item())
    assert zero > 0.5


def test_the_modern_recipe_erases_parts_of_the_finished_image(voc, obj, config, image):
    dataset = read(voc, obj, config, image)
    pipelines = [dataset.pipeline, Compose(Config.fromfile(MODERN).train_pipeline[1:])]
    mean = torch.tensor(MEAN[::-1].copy(), dtype=torch.uint8)[:, None, None]  # BGR
    largest = 0
    for seed in range(100):
        samples = []
        for dataset.pipeline in pipelines:
            np.random.seed(seed)
            samples.append(dataset[0])
        before, after = (sample['inputs'] for sample in samples)
        assert torch.equal(after, before.where((after != mean).any(0), mean))
        largest = max(largest, (before != after).any(0).float().mean().item())
    assert 0.1 < largest < 3 * 0.3**2


def test_an_object_goes_when_nine_tenths_of_it_are_erased():
    steps = Compose(Config.fromfile(MODERN).train_pipeline[-2:])
    left = []
    for seed in range(500):
        np.random.seed(seed)
        boxes = HorizontalBoxes([[100.0, 100, 120, 120], [10, 10, 300, 300]])
        sample = steps(
            dict(
                img=np.zeros((320, 320, 3), np.uint8),
                img_shape=(320, 320),
                gt_bboxes=boxes,
                gt_bboxes_labels=np.array([0, 1]),
                gt_ignore_flags=np.zeros(2, bool),
            )
        )
        found = sample['data_samples'].gt_instances
        share = sample['inputs'][:, 100:120, 100:120].any(0).float().mean()
        assert share < 0.9 if 0 in found.labels else share > 0.45  # patches may lie on each other
        assert 1 in found.labels and len(found.bboxes) == len(found.labels)
        left.append(len(found))
    assert 400 < left.count(2) < 500
