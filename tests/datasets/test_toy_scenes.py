"""Promises on the scenes themselves; what is known of a scene is taken from its annotation and its pixels."""

from collections import Counter
from multiprocessing import Pool

import cv2
import numpy as np
import pytest

from mobilenext_det.datasets.toy_scenes import CLASSES, SceneObject, _annotate, _place, draw_scene

TRAIN, TEST = 350, 500  # the scenes of the default set that the promises are checked on


def crops(job):
    """Objects of a scene with the pixels inside their boxes."""
    image, objects = draw_scene(0, *job)
    height, width = image.shape[:2]
    return [
        (item, image[item.box[1] - 1 : item.box[3], item.box[0] - 1 : item.box[2]], (width, height)) for item in objects
    ]


@pytest.fixture(scope='module')
def scenes():
    """{split: a list of scenes, each a list of (object, crop, image size)}."""
    jobs = {'trainval': TRAIN, 'test': TEST}
    with Pool(2, cv2.setNumThreads, (0,)) as pool:
        return {split: pool.map(crops, [(split, i) for i in range(count)], 16) for split, count in jobs.items()}


def flat(scenes):
    return [found for scene in scenes for found in scene]


def labels(found):
    return np.array([CLASSES.index(item.name) for item, *_ in found])


def softmax_regression(features, targets, steps=300):
    """Weights of a linear classifier, by gradient descent on all features with momentum and decay."""
    features = np.column_stack((features, np.ones(len(features)))).astype(np.float32)
    goal = np.eye(len(CLASSES), dtype=np.float32)[targets]
    weights, speed = np.zeros((2, features.shape[1], len(CLASSES)), np.float32)
    for _ in range(steps):
        scores = np.exp(features @ weights - (features @ weights).max(1, keepdims=True))
        gradient = features.T @ (scores / scores.sum(1, keepdims=True) - goal) / len(features)
        speed = 0.9 * speed - 0.1 * (gradient + 1e-3 * weights)
        weights = weights + speed
    return weights


def best_accuracy(train, train_targets, test, test_targets):
    """The best on the test set of softmax regression and nearest neighbours, on plain and standardised features."""
    centre, spread = train.mean(0), train.std(0) + 1e-3
    guesses = []
    for known, new in ((train, test), ((train - centre) / spread, (test - centre) / spread)):
        weights = softmax_regression(known, train_targets)
        guesses.append((new @ weights[:-1] + weights[-1]).argmax(1))
        order = ((known**2).sum(1) - 2 * new @ known.T).argsort(1)
        for count in (1, 5, 15, 40):
            votes = train_targets[order[:, :count]]
            guesses.append(np.array([np.bincount(vote).argmax() for vote in votes]))
    return max(np.mean(guess == test_targets) for guess in guesses)


def histogram(crop):
    """Square roots (Hellinger) of 8 x 8 x 8 histograms of the crop's BGR and HSV values: 1024 numbers."""
    hsv = cv2.cvtColor(crop, cv2.COLOR_BGR2HSV)
    counts = [
        cv2.calcHist([image], [0, 1, 2], None, [8, 8, 8], [0, top, 0, 256, 0, 256]).ravel()
        for image, top in ((crop, 256), (hsv, 180))
    ]
    return np.sqrt(np.concatenate(counts) / crop[..., 0].size)


def test_colours_do_not_tell_the_class(scenes):
    train, test = flat(scenes['trainval']), flat(scenes['test'])

    def accuracy(change):
        features = [np.stack([histogram(change(item, crop)) for item, crop, _ in part]) for part in (train, test)]
        return best_accuracy(features[0], labels(train), features[1], labels(test))

    assert accuracy(lambda item, crop: crop) < 0.2

    def tinted(item, crop):
        """The crop half washed over with a colour of its class: here the same classifiers must notice."""
        hue = np.uint8([[[9 * CLASSES.index(item.name), 255, 255]]])
        return (0.5 * crop + 0.5 * cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)).astype(np.uint8)

    assert accuracy(tinted) > 0.5


def test_position_and_size_do_not_tell_the_class(scenes):
    train, test = flat(scenes['trainval']), flat(scenes['test'])

    def geometry(item, crop, size):
        x1, y1, x2, y2 = item.box
        width, height = crop.shape[1::-1]
        relative = np.array((x1, y1, x2, y2, width, height)) / np.tile(size, 3)
        return *relative, np.log(width), np.log(height), np.log(width / height), *size, item.truncated, item.difficult

    features = [np.array([geometry(*found) for found in part]) for part in (train, test)]
    assert best_accuracy(features[0], labels(train), features[1], labels(test)) < 0.1


def test_every_class_is_common_in_the_test_scenes(scenes):
    counts = Counter(item.name for item, *_ in flat(scenes['test']) if not item.difficult)
    assert set(counts) == set(CLASSES)
    assert min(counts.values()) >= 60


def test_scale_goes_from_tiny_to_full_frame_and_a_quarter_is_small(scenes):
    found = flat(scenes['trainval']) + flat(scenes['test'])
    sides = np.array([np.sqrt(crop[..., 0].size) for _, crop, _ in found])
    assert 0.22 < np.mean(sides < 32) < 0.28
    assert sides.min() < 16
    assert max(crop[..., 0].size / np.prod(size) for _, crop, size in found) > 0.8


def test_several_objects_a_scene_some_truncated_some_difficult(scenes):
    counts = np.array([len(scene) for scene in scenes['trainval'] + scenes['test']])
    assert (counts.min(), np.median(counts), counts.max()) == (1, 3, 6)
    items = [item for item, *_ in flat(scenes['test'])]
    assert 0.1 < np.mean([item.truncated for item in items]) < 0.4
    assert 0.005 < np.mean([item.difficult for item in items]) < 0.1


def test_images_are_landscape_portrait_and_square_with_the_long_side_asked_for():
    sizes = {draw_scene(0, 'trainval', index, 128)[0].shape[:2] for index in range(40)}
    assert {max(size) for size in sizes} == {128}
    assert {np.sign(height - width) for height, width in sizes} == {-1, 0, 1}


def test_a_scene_depends_on_seed_split_and_index_alone():
    image, objects = draw_scene(7, 'trainval', 3, 160)
    again, same = draw_scene(7, 'trainval', 3, 160)
    assert np.array_equal(image, again)
    assert objects == same
    for other in ((8, 'trainval', 3), (7, 'test', 3), (7, 'trainval', 4)):
        other_image, other_objects = draw_scene(*other, 160)
        assert other_objects != objects
        assert other_image.shape != image.shape or not np.array_equal(other_image, image)


def planes_of(mask):
    return np.dstack((mask, np.zeros_like(mask))).astype(np.float32)


def test_the_box_is_that_of_the_seen_pixels_counted_from_one():
    seen = np.zeros((50, 60), bool)
    seen[10:20, 30:45] = True
    assert _annotate('dog', planes_of(np.ones((10, 15))), seen) == SceneObject('dog', (31, 11, 45, 20), False, False)


@pytest.mark.parametrize(
    ('seen_columns', 'truncated', 'difficult'),
    [(17, False, False), (16, True, False), (10, True, False), (9, True, True)],
)
def test_an_object_seen_in_part_is_truncated_then_difficult(seen_columns, truncated, difficult):
    seen = np.zeros((50, 60), bool)
    seen[:20, :seen_columns] = True
    item = _annotate('cat', planes_of(np.ones((20, 20))), seen)
    assert item == SceneObject('cat', (1, 1, seen_columns, 20), truncated, difficult)


@pytest.mark.parametrize('columns', [0, 1, 3])
def test_an_object_hardly_seen_is_not_annotated(columns):
    seen = np.zeros((50, 60), bool)
    seen[:20, :columns] = True
    assert _annotate('cat', planes_of(np.ones((20, 20))), seen) is None


def test_an_object_goes_where_there_is_room():
    taken = np.ones((100, 100), bool)
    taken[:, 50:] = False
    rng = np.random.default_rng(0)
    lefts = [_place(rng, (20, 20), taken)[0] for _ in range(50)]
    assert np.mean(np.array(lefts) >= 50) > 0.8
