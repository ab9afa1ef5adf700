"""Matching, held against mmdet's assigner image by image."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.models.task_modules import MaxIoUAssigner
from mmengine.structures import InstanceData

from mobilenext_det.models.assigner import BACKGROUND, BatchMaxIoUAssigner


def boxes(count, generator):
    corners = generator.uniform(0, 90, (count, 2))
    return torch.tensor(np.concatenate([corners, corners + generator.uniform(4, 60, (count, 2))], 1)).float()


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(0, 8), min_size=1, max_size=4),
    iou_thr=st.sampled_from([0.3, 0.5, 0.9]),
    seed=st.integers(0, 10**6),
)
def test_it_is_mmdets_for_every_image(counts, iou_thr, seed):
    generator = np.random.default_rng(seed)
    priors, images = boxes(40, generator), [boxes(count, generator) for count in counts]
    stock = MaxIoUAssigner(pos_iou_thr=iou_thr, neg_iou_thr=iou_thr, min_pos_iou=0.0, gt_max_assign_all=False)
    expected = [
        stock.assign(InstanceData(priors=priors), InstanceData(bboxes=b, labels=torch.zeros(len(b)).long())).gt_inds - 1
        for b in images
    ]
    objects, present = torch.zeros(len(counts), 9, 4), torch.zeros(len(counts), 9, dtype=torch.bool)
    for place, b in enumerate(images):
        objects[place, : len(b)], present[place, : len(b)] = b, True
    found = BatchMaxIoUAssigner(iou_thr).assign_batch(priors, objects, present)
    assert torch.equal(found, torch.stack(expected))


def test_of_objects_with_one_best_prior_the_last_gets_it():
    priors = torch.tensor([[0.0, 0, 10, 10], [50, 50, 60, 60], [70, 70, 80, 80]])
    objects = torch.tensor([[[0.0, 0, 10, 11], [0, 0, 30, 30], [52, 52, 90, 61]]])
    found = BatchMaxIoUAssigner().assign_batch(priors, objects, torch.ones(1, 3, dtype=torch.bool))
    assert found.tolist() == [[1, 2, BACKGROUND]]
