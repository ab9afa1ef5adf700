"""Matching, held against mmdet's assigner image by image."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules import ATSSAssigner, MaxIoUAssigner
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData

from mobilenext_det.models import SSDLitePriorGenerator
from mobilenext_det.models.assigner import NO_OBJECT, BatchATSSAssigner, BatchMaxIoUAssigner


def boxes(count, generator):
    corners = generator.uniform(0, 90, (count, 2))
    return torch.tensor(np.concatenate([corners, corners + generator.uniform(4, 60, (count, 2))], 1)).float()


def instances(image):
    return InstanceData(bboxes=image, labels=torch.zeros(len(image)).long())


def padded(images, places=9):
    """The boxes of all images in one tensor, and which of them are there."""
    objects, present = torch.zeros(len(images), places, 4), torch.zeros(len(images), places, dtype=torch.bool)
    for place, image in enumerate(images):
        objects[place, : len(image)], present[place, : len(image)] = image, True
    return objects, present


COUNTS = st.lists(st.integers(0, 8), min_size=1, max_size=4)
SEEDS = st.integers(0, 10**6)


@settings(deadline=None)
@given(counts=COUNTS, iou_thr=st.sampled_from([0.3, 0.5, 0.9]), seed=SEEDS)
def test_it_is_mmdets_for_every_image(counts, iou_thr, seed):
    generator = np.random.default_rng(seed)
    priors, images = boxes(40, generator), [boxes(count, generator) for count in counts]
    stock = MaxIoUAssigner(pos_iou_thr=iou_thr, neg_iou_thr=iou_thr, min_pos_iou=0.0, gt_max_assign_all=False)
    expected = [stock.assign(InstanceData(priors=priors), instances(image)).gt_inds - 1 for image in images]
    found = BatchMaxIoUAssigner(iou_thr).assign_batch([priors[:30], priors[30:]], *padded(images))
    assert torch.equal(found, torch.stack(expected))


def test_of_objects_with_one_best_prior_the_last_matches():
    priors = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60], [70, 70, 80, 80]])
    objects = torch.tensor([[[0.0, 0, 10, 11], [0, 0, 30, 30], [52, 52, 90, 61]]])
    found = BatchMaxIoUAssigner().assign_batch([priors], objects, torch.ones(1, 3, dtype=torch.bool))
    assert found.tolist() == [[1, 2, NO_OBJECT]]


# ATSS, on the recipe's priors at 160 pixels: 840 of them

SIZE = 160
LEVELS = SSDLitePriorGenerator(input_size=SIZE).grid_priors([(m, m) for m in (10, 5, 3, 2, 1, 1)])
PRIORS = torch.cat(LEVELS)


def scene(count, generator):
    """Boxes from 3 pixels to the whole image, some of which hold no prior's centre."""
    centres = generator.uniform(0, SIZE, (count, 2))
    halves = np.exp(generator.uniform(np.log(1.5), np.log(SIZE / 2), (count, 2)))
    return torch.tensor(np.concatenate([centres - halves, centres + halves], 1).clip(0, SIZE)).float()


def stock_atss(image, topk):
    sizes = [len(level) for level in LEVELS]
    return ATSSAssigner(topk=topk).assign(InstanceData(priors=PRIORS), sizes, instances(image)).gt_inds - 1


@settings(deadline=None, max_examples=30)
@given(counts=COUNTS, topk=st.sampled_from([6, 12, 54]), seed=SEEDS)
def test_it_is_mmdets_atss_and_every_objects_best_prior(counts, topk, seed):
    generator = np.random.default_rng(seed)
    images = [scene(count, generator) for count in counts]
    expected = []
    for image in images:
        assigned = stock_atss(image, topk)
        for place, best in enumerate(bbox_overlaps(image, PRIORS).argmax(1).tolist() if len(image) else []):
            assigned[best] = place
        expected.append(assigned)
    found = BatchATSSAssigner(topk).assign_batch(LEVELS, *padded(images))
    assert found.dtype == torch.int64
    assert torch.equal(found, torch.stack(expected))


@pytest.mark.parametrize('assigner', [BatchMaxIoUAssigner(), BatchATSSAssigner()], ids=lambda a: type(a).__name__)
@settings(deadline=None, max_examples=30)
@given(counts=COUNTS, seed=SEEDS)
def test_every_object_is_matched_and_every_match_exists(assigner, counts, seed):
    generator = np.random.default_rng(seed)
    images = [scene(count, generator) for count in counts]
    found = assigner.assign_batch(LEVELS, *padded(images))
    assert found.shape == (len(images), len(PRIORS))
    for image, assigned in zip(images, found, strict=True):
        assert set(assigned.tolist()) <= {NO_OBJECT, *range(len(image))}
        # Only an object whose best prior is that of a later one can go without.
        best = bbox_overlaps(image, PRIORS).argmax(1).tolist() if len(image) else []
        assert {place for place in range(len(image)) if best[place] not in best[place + 1 :]} <= set(assigned.tolist())


def test_an_object_between_the_centres_of_priors_matches_its_best_one():
    image = torch.tensor([[1.0, 1, 4, 4]])
    assert (stock_atss(image, 12) == NO_OBJECT).all()
    found = BatchATSSAssigner().assign_batch(LEVELS, *padded([image]))
    assert (found == 0).sum() == 1
    assert found[0, bbox_overlaps(image, PRIORS).argmax()] == 0


def test_atss_gives_a_small_object_more_priors_than_a_fixed_iou():
    objects = padded([torch.tensor([[60.0, 60, 85, 83]])])
    fixed, atss = (a.assign_batch(LEVELS, *objects) for a in (BatchMaxIoUAssigner(), BatchATSSAssigner()))
    assert (fixed == 0).sum() < (atss == 0).sum() <= 24


def test_objects_are_numbered_by_their_places():
    """Where the first place is empty, the object in the second is still the second."""
    objects = torch.tensor([[[0.0, 0, 0, 0], [20, 20, 100, 110]]])
    for assigner in (BatchMaxIoUAssigner(), BatchATSSAssigner()):
        found = assigner.assign_batch(LEVELS, objects, torch.tensor([[False, True]]))
        assert set(found.flatten().tolist()) == {NO_OBJECT, 1}
