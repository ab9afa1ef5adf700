"""Random detections on random objects, and runs made of them, evaluated by the metric's own code."""

import dataclasses

import numpy as np
import pytest

from mobilenext_det.analysis.complexity import Count
from mobilenext_det.comparison.identity import Identity
from mobilenext_det.comparison.outcomes import Outcomes
from mobilenext_det.comparison.run_record import Cost, Curve, Environment, Metrics, Run, Training
from mobilenext_det.evaluation import Detections, EvaluationSet, Objects, summarise


def make_random_set(seed, images=12, classes=3, objects=30, detections=80, levels=None):
    """A set with difficult objects, misses, duplicates and, with few score levels, ties."""
    generator = np.random.default_rng(seed)
    corner = generator.uniform(0, 60, (objects, 2))
    truth = Objects(
        np.sort(generator.integers(images, size=objects)),
        generator.integers(classes, size=objects),
        np.concatenate([corner, corner + generator.uniform(10, 40, (objects, 2))], 1),
        generator.random(objects) < 0.2,
    )
    about = generator.integers(objects, size=detections)
    image = np.where(generator.random(detections) < 0.8, truth.image[about], generator.integers(images))
    order = np.argsort(image, kind='stable')
    boxes = truth.boxes[about] + generator.uniform(-4, 4, (detections, 4))
    scores = generator.random(detections) if levels is None else generator.integers(1, levels, detections) / levels
    label = np.where(generator.random(detections) < 0.85, truth.label[about], generator.integers(classes))
    found = Detections(image[order], label[order], boxes[order], scores)
    names = [f'{index:06}' for index in range(images)]
    return EvaluationSet(tuple('abcdefgh'[:classes]), names, [''] * images, truth, found)


def repeat_images(data, weights):
    """The set in which every image stands as often as its weight says, copies of a detection beside each other."""
    objects, detections = (
        type(rows)(*(np.repeat(column, weights[rows.image], axis=0) for column in rows))
        for rows in (data.objects, data.detections)
    )

    def renumber(image):
        starts = np.cumsum(weights) - weights
        first = np.flatnonzero(np.diff(image, prepend=-1))
        # Copies of one row follow each other: row r of an image goes to copies 0, 1, ... in turn.
        within = np.arange(len(image)) - np.repeat(first, np.diff(first, append=len(image)))
        return starts[image] + within % weights[image]

    return EvaluationSet(
        data.classes,
        [f'{index}' for index in range(weights.sum())],
        [''] * int(weights.sum()),
        objects._replace(image=renumber(objects.image)),
        detections._replace(image=renumber(detections.image)),
    )


@pytest.fixture(scope='session')
def random_set():
    return make_random_set


@pytest.fixture(scope='session')
def repeated():
    return repeat_images


@pytest.fixture(scope='session')
def run_of():
    """Make the run of a config with a seed: the same objects for all, detections of its own."""

    def make(config, seed, wrong=0.0, curve=True):
        good, other = (make_random_set(number, objects=40, detections=150) for number in (0, 1 + seed))
        swapped = np.random.default_rng(seed).random(150) < wrong
        score = np.where(swapped, other.detections.scores, good.detections.scores)
        label = np.where(swapped, other.detections.label, good.detections.label)
        data = dataclasses.replace(good, detections=good.detections._replace(scores=score, label=label))
        summary = summarise(data)
        per_class = {row.name: {'11points': row.AP_11points, 'area': row.AP_area} for row in summary.classes}
        return Run(
            config,
            seed,
            Identity(f'digest of {config}', train_images='x', test_images='y', checkpoint=None),
            Metrics({'11points': summary.mAP_11points, 'area': summary.mAP_area}, per_class),
            Curve([(1, 9.0), (2, 5.0 + seed)], [(1, 0.1, 0.12), (2, 0.3, 0.3)]) if curve else Curve([], []),
            Training(iterations=2, seconds=4.0 + seed, images_per_second=8.0 + seed) if curve else None,
            Cost(dict.fromkeys(('backbone', 'neck', 'head', 'total'), Count(1000, 9000)), weights_bytes=4500),
            Environment(torch='2', mobilenext_det='0', device='cpu', cpu='a processor', threads=2),
            Outcomes.of(data, summary),
        )

    return make
