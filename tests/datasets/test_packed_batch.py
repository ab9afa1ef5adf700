"""Batches between processes: the same content, and few open files."""

import copy
import os
import pickle
import resource

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.structures import InstanceData
from torch.utils.data import DataLoader

from mobilenext_det.datasets.packed_batch import PackedBatch, packed_collate


def sample(index):
    """One image's entry as PackDetInputs makes it, with an own number of boxes."""
    count = index % 4
    boxes = torch.arange(4.0 * count).view(-1, 4) + index
    found = DetDataSample(metainfo=dict(img_id=index, ori_shape=(8, 8)))
    found.gt_instances = InstanceData(bboxes=HorizontalBoxes(boxes), labels=torch.arange(count))
    found.ignored_instances = InstanceData(bboxes=HorizontalBoxes(boxes[:0]), labels=torch.arange(0))
    return dict(inputs=torch.full((3, 8, 8 + index % 2), index % 256, dtype=torch.uint8), data_samples=found)


class Samples(torch.utils.data.Dataset):
    def __len__(self):
        return 600

    def __getitem__(self, index):
        return sample(index)


def assert_same(batch, indices):
    assert len(batch['inputs']) == len(batch['data_samples']) == len(indices)
    for index, image, found in zip(indices, batch['inputs'], batch['data_samples'], strict=True):
        expected = sample(index)
        assert torch.equal(image, expected['inputs'])
        assert found.img_id == index and found.ori_shape == (8, 8)
        assert torch.equal(found.gt_instances.bboxes.tensor, expected['data_samples'].gt_instances.bboxes.tensor)
        assert torch.equal(found.gt_instances.labels, expected['data_samples'].gt_instances.labels)
        assert found.ignored_instances.bboxes.tensor.shape == (0, 4)


def test_pickled_it_is_the_same_and_has_one_tensor_a_type():
    indices = range(9)
    batch = packed_collate([sample(index) for index in indices], stack=False)
    _, (_, joined, forms) = batch.__reduce__()
    assert {dtype: tensor.ndim for dtype, tensor in joined.items()} == {
        torch.uint8: 1,
        torch.float32: 1,
        torch.int64: 1,
    }
    assert len(forms) == 9 * 5
    again = pickle.loads(pickle.dumps(batch))
    assert type(again) is PackedBatch
    assert_same(again, indices)


def test_images_of_one_size_are_stacked_and_not_copied_for_the_way():
    batch = packed_collate([sample(index) for index in (0, 2, 4)], stack=True)
    assert batch['inputs'].shape == (3, 3, 8, 8)
    assert batch.__reduce__()[1][1][torch.uint8] is batch['inputs']
    assert_same(copy.copy(batch), (0, 2, 4))


@pytest.mark.parametrize('workers', [2])
def test_a_batch_takes_few_open_files(workers):
    """Single tensors of 300 images, five each, would not pass this limit by far."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = max(map(int, os.listdir('/proc/self/fd'))) + 100
    loader = DataLoader(
        Samples(), 300, num_workers=workers, collate_fn=lambda samples: packed_collate(samples, stack=False)
    )
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        batches = list(loader)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for start, batch in zip((0, 300), batches, strict=True):
        assert_same(batch, range(start, start + 300))
    assert np.sum([len(batch['inputs']) for batch in batches]) == 600
