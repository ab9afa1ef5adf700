"""Average precision over resamples of the test images and of the training seeds: how far chance moves a difference.

The bootstrap of B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7 (1979), paired
over images and in two stages, as a result hangs on both the images it was measured on and the seed it was trained with:
every replicate draws one resample of the images, the same for all models, and for each model a resample of its runs.
"""

from __future__ import annotations

import math

import numpy as np

from mobilenext_det.evaluation.average_precision import RECALL_POINTS

from .modes import MODES
from .outcomes import Outcomes

_CELLS = 2_000_000  # of one matrix of detections by resamples


def resample_images(images: int, resamples: int, seed: int = 0) -> np.ndarray:
    """Draw as many images as there are, with replacement, again and again.

    Args:
        images: Number of images N.
        resamples: Number of resamples B.
        seed: Seed of the generator.

    Returns:
        (N, B) how often each image is in each resample.
    """
    generator = np.random.default_rng(seed)
    draws = (generator.integers(images, size=images) for _ in range(resamples))
    return np.stack([np.bincount(draw, minlength=images) for draw in draws], axis=1).astype(np.int32)


def resampled_ap(outcomes: Outcomes, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Average precision of every class in every resample, as the metric would give it for those images.

    An image that is drawn w times counts w-fold: w equal detections in a row, w times its objects.

    Args:
        outcomes: The outcomes of one run.
        weights: (N, B) how often each image is in each resample.

    Returns:
        By mode, '11points' and 'area', (C, B); NaN where a resample holds no object of the class.
    """
    num_objects = outcomes.objects.T @ weights
    values = {mode: np.empty(num_objects.shape) for mode in MODES}
    for label, of_class in enumerate(num_objects):
        own = outcomes.label == label
        image, hit = outcomes.image[own], outcomes.hit[own]
        step = max(1, _CELLS // max(len(image), 1))
        for start in range(0, weights.shape[1], step):
            part = slice(start, start + step)
            both = _class_ap(weights[image, part], hit, of_class[part])
            for mode, ap in zip(MODES, both, strict=True):
                values[mode][label, part] = ap
    return values


def _class_ap(weights: np.ndarray, hit: np.ndarray, num_objects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both average precisions of one class; only true positives are points of the curve, as the others lie below."""
    seen = np.cumsum(weights, axis=0, dtype=np.int64)[hit]
    found = np.cumsum(weights[hit], axis=0, dtype=np.int64)
    objects = np.where(num_objects > 0, num_objects, np.nan)
    precision, recall = found / np.maximum(seen, 1), found / objects
    at_points = [np.max(precision, axis=0, where=recall >= point, initial=0.0) for point in RECALL_POINTS]
    envelope = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    area = np.sum(np.diff(recall, prepend=0.0, axis=0) * envelope, axis=0)
    undefined = 0 * objects  # NaN without objects, else 0
    return np.stack(at_points, axis=-1).mean(-1) + undefined, area + undefined


def mean_ap(values: np.ndarray) -> np.ndarray:
    """Average over the classes that have objects.

    Args:
        values: (..., C, B) average precisions.

    Returns:
        (..., B); NaN where no class has objects.
    """
    defined = ~np.isnan(values)
    return np.where(defined, values, 0).sum(-2) / np.where(defined.any(-2), defined.sum(-2), np.nan)


def resample_seeds(values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Average over the runs of a model, drawn anew with replacement in every replicate.

    The mean of S values drawn from S runs varies (S - 1) / S times as much as the mean of S new runs would, a third
    too little at three seeds; the deviations are stretched to make up for that. One run has no spread to draw from.

    Args:
        values: (S, ..., B) a number of each run in every resample of the images.
        generator: Where the draws come from.

    Returns:
        (..., B) averages.
    """
    runs, resamples = len(values), values.shape[-1]
    mean = values.mean(0)
    if runs == 1:
        return mean
    share = np.zeros((runs, resamples))
    np.add.at(share, (generator.integers(runs, size=(runs, resamples)), np.arange(resamples)), 1 / runs)
    drawn = np.einsum('sb,s...b->...b', share, values)
    return mean + math.sqrt(runs / (runs - 1)) * (drawn - mean)


def interval(replicates: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of a number over its replicates.

    Args:
        replicates: (B,) the number in every replicate; NaN where it is undefined, which is left out.
        level: The share of the replicates inside.
    """
    outside = (1 - level) / 2
    low, high = np.nanquantile(replicates, (outside, 1 - outside))
    return float(low), float(high)
