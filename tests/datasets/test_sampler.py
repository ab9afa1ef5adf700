import pickle
import random
from collections import Counter
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmcv.transforms import BaseTransform
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from torch.utils.data import DataLoader

from mobilenext_det.datasets import ResumableSampler, SeedBySample, SeededIndex


class Draw(BaseTransform):
    """Note the sample, its seed, and a number from either generator; drop a third of the draws."""

    def __init__(self, drop=False):
        self.drop = drop

    def transform(self, results):
        drawn = np.random.rand()
        if self.drop and drawn < 1 / 3:
            return None
        index = results['sample_idx']
        return results['number'], int(index), getattr(index, 'seed', None), drawn, random.random()


def dataset(size, drop=False, start=0):
    class Numbers(BaseDataset):
        def load_data_list(self):
            return [dict(number=number) for number in range(start, start + size)]

    return Numbers(pipeline=[SeedBySample(), Draw(drop)], max_refetch=50)


def stream(size, count, start=0, rank=0, ranks=1, seed=0, **kwargs):
    sampler = ResumableSampler(range(size), seed=seed, **kwargs)
    sampler.rank, sampler.world_size = rank, ranks
    sampler.start_at(start)
    return [(int(index), index.seed) for index in islice(sampler, count)]


def test_index_is_an_int_that_survives_pickling():
    index = pickle.loads(pickle.dumps(SeededIndex(7, 2**32 - 1)))
    assert (index, index.seed, type(index)) == (7, 2**32 - 1, SeededIndex)
    assert [10, 20, 30][SeededIndex(1, 5)] == 20


def test_seed_reaches_the_datasets_inside_mmengines_wrappers():
    both = ConcatDataset([dataset(3), dataset(4, start=3)])
    assert both[SeededIndex(5, 11)][:3] == (5, 2, 11)
    assert both[SeededIndex(1, 12)][:3] == (1, 1, 12)
    assert RepeatDataset(dataset(4), times=3)[SeededIndex(2 * 4 + 3, 13)][:3] == (3, 3, 13)


def test_every_epoch_is_another_permutation():
    indices = [index for index, _ in stream(20, 60)]
    epochs = [indices[:20], indices[20:40], indices[40:]]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_order_without_shuffling():
    assert [index for index, _ in stream(3, 7, shuffle=False)] == [0, 1, 2, 0, 1, 2, 0]


def test_seeds_never_repeat_and_come_from_the_run_seed():
    assert len({seed for _, seed in stream(50, 500)}) == 500
    assert stream(50, 100) == stream(50, 100)
    assert not set(stream(50, 100)) & set(stream(50, 100, seed=1))


def test_seed_depends_on_epoch_and_index_alone():
    shuffled, ordered = stream(6, 12), stream(6, 12, shuffle=False)
    assert sorted(shuffled[:6]) == ordered[:6]
    assert sorted(shuffled[6:]) == ordered[6:]


@given(size=st.integers(1, 12), start=st.integers(0, 60), ranks=st.integers(1, 5), data=st.data())
@settings(max_examples=60, deadline=None)
def test_starting_anywhere_continues_the_same_stream(size, start, ranks, data):
    rank = data.draw(st.integers(0, ranks - 1))
    assert stream(size, 20, start, rank, ranks) == stream(size, start + 20, 0, rank, ranks)[start:]


@given(size=st.integers(1, 12), ranks=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_ranks_share_one_stream_without_overlap(size, ranks):
    shards = [stream(size, 15, rank=rank, ranks=ranks) for rank in range(ranks)]
    assert [item for step in zip(*shards, strict=True) for item in step] == stream(size, 15 * ranks)


def test_an_empty_dataset_is_an_error():
    with pytest.raises(ValueError, match='list holds no sample to train on; check its ann_file and classes'):
        ResumableSampler([])


def loaded(workers, drop=False):
    """Three epochs of twelve samples, in batches of four."""
    data = dataset(12, drop)
    loader = DataLoader(
        data, batch_size=4, sampler=ResumableSampler(data, seed=5), num_workers=workers, collate_fn=list
    )
    return [sample for batch in islice(loader, 9) for sample in batch]


@pytest.mark.parametrize('drop', [False, True])
def test_any_number_of_workers_loads_the_same(drop):
    alone = loaded(0, drop)
    assert loaded(1, drop) == loaded(3, drop) == alone


def test_no_epoch_replays_the_draws_of_another():
    samples = loaded(0)
    assert set(Counter(number for number, *_ in samples).values()) == {3}
    assert len({drawn for *_, drawn, _ in samples}) == len({drawn for *_, drawn in samples}) == len(samples)


def test_an_index_without_a_seed_leaves_the_generators_alone():
    np.random.seed(1)
    random.seed(1)
    expected = np.random.rand(), random.random()
    np.random.seed(1)
    random.seed(1)
    assert dataset(3)[2] == (2, 2, None, *expected)
