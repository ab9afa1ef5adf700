import copy
import pickle

import numpy as np
import pytest
from torch.utils.data import DataLoader, get_worker_info

from mobilenext_det.datasets import CheckedLoadImage

PIPELINE = [dict(type='CheckedLoadImage')]


def remove(path, other):
    path.unlink()


def empty(path, other):
    path.write_bytes(b'')


def cut_off(path, other):
    path.write_bytes(path.read_bytes()[:-300])


def zero_the_end(path, other):
    path.write_bytes(path.read_bytes()[:-1000] + bytes(1000))


def damage_the_header(path, other):
    content = bytearray(path.read_bytes())
    content[2:300] = bytes(298)
    path.write_bytes(content)


def replace_by_another_size(path, other):
    path.write_bytes(other.read_bytes())


BREAK = [remove, empty, cut_off, zero_the_end, damage_the_header]


@pytest.mark.parametrize('spoil', [*BREAK, replace_by_another_size])
def test_image_that_breaks_after_the_start_is_named_and_another_is_drawn(voc, obj, log, spoil):
    path = voc.add('a', obj())
    other = voc.add('b', obj(), size=(70, 50))
    dataset = voc.read(pipeline=[dict(type='CheckedLoadImage', cache_mib=0)])
    assert dataset[0]['img_id'] == 'a'
    spoil(path, other)
    np.random.seed(0)
    assert dataset[0]['img_id'] == 'b'
    assert log
    assert all(line.startswith(f'{path}: skipped in training, for') for line in log)


def test_whole_image_is_loaded_as_stock_loads_it(voc, obj, log):
    from mmcv.transforms import LoadImageFromFile

    path = voc.add('a', obj())
    loaded = voc.read(pipeline=PIPELINE)[0]
    expected = LoadImageFromFile()(dict(img_path=str(path)))
    np.testing.assert_array_equal(loaded['img'], expected['img'])
    assert loaded['ori_shape'] == expected['ori_shape'] == (40, 60)
    assert log == []


def test_stock_loading_in_a_test_pipeline_names_the_file_that_is_gone(voc, obj):
    path = voc.add('a', obj())
    dataset = voc.read(pipeline=[dict(type='LoadImageFromFile')], test_mode=True)
    path.unlink()
    with pytest.raises(FileNotFoundError, match='a.jpg'):
        dataset[0]


def entry(path):
    return dict(img_path=str(path), height=40, width=60)


def test_cached_image_is_the_same_and_is_its_receivers_own(voc):
    path = voc.add('a', suffix='.png')
    transform = CheckedLoadImage(cache_mib=1)
    first = transform(entry(path))
    expected = first['img'].copy()
    first['img'][:] = 0  # as transforms do
    path.unlink()
    second = transform(entry(path))
    assert second.keys() == first.keys()
    assert second['img_shape'] == second['ori_shape'] == (40, 60)
    second['img'][:] = 0
    np.testing.assert_array_equal(transform(entry(path))['img'], expected)


@pytest.mark.parametrize('spoil', BREAK)
def test_broken_image_is_not_cached(voc, log, spoil):
    path, other = voc.add('a'), voc.add('b', size=(70, 50))
    whole = path.read_bytes()
    transform = CheckedLoadImage(cache_mib=1)
    spoil(path, other)
    assert transform(entry(path)) is None
    path.write_bytes(whole)
    assert transform(entry(path)) is not None


def test_cached_image_of_another_size_than_stated_is_passed_over(voc, log):
    path = voc.add('a')
    transform = CheckedLoadImage(cache_mib=1)
    transform(entry(path))
    assert transform(dict(entry(path), width=61)) is None
    assert log == [f'{path}: skipped in training, for it loads as (40, 60), but was (40, 61)']


def test_images_decoded_in_two_ways_are_two(voc):
    path = voc.add('a')
    colour, other = (
        CheckedLoadImage(cache_mib=1),
        CheckedLoadImage(cache_mib=1, color_type='color_ignore_orientation', to_float32=True),
    )
    assert colour(entry(path))['img'].dtype == np.uint8
    for _ in range(2):
        assert other(entry(path))['img'].dtype == np.float32
    grey = CheckedLoadImage(cache_mib=1, color_type='grayscale')
    assert grey(entry(path))['img'].shape == grey(entry(path))['img'].shape == (40, 60)


def test_data_sets_share_a_cache_and_copies_do(voc):
    path = voc.add('a')
    first, second = CheckedLoadImage(cache_mib=1), CheckedLoadImage(cache_mib=1)
    first(entry(path))
    path.unlink()
    assert second(entry(path)) is not None
    assert copy.deepcopy(first)(entry(path)) is not None


def test_pickled_transform_works_without_a_cache_and_says_so_once(voc, log):
    path = voc.add('a')
    transform = CheckedLoadImage(cache_mib=1)
    copies = [pickle.loads(pickle.dumps(transform)) for _ in range(2)]
    assert log == ['Image cache: none in workers that are spawned; it takes mp_start_method="fork".']
    np.testing.assert_array_equal(copies[0](entry(path))['img'], transform(entry(path))['img'])
    path.unlink()
    assert copies[1](entry(path)) is None
    assert transform(entry(path)) is not None


def test_no_cache_unless_asked_for(voc):
    path = voc.add('a')
    transform = CheckedLoadImage()
    assert transform(entry(path)) is not None
    path.unlink()
    assert transform(entry(path)) is None


def test_a_size_below_zero_is_refused():
    with pytest.raises(ValueError, match='cache_mib is -1; it must be 0, for no cache, or more'):
        CheckedLoadImage(cache_mib=-1)


class Images:
    """Images of (40, 60), and who loaded them; None for those that could not be."""

    def __init__(self, paths, **kwargs):
        self.paths, self.transform = paths, CheckedLoadImage(**kwargs)

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        loaded = self.transform(entry(self.paths[index]))
        return get_worker_info().id, loaded and loaded['img']


def loader(images, order):
    return DataLoader(
        images, batch_size=None, sampler=order, num_workers=2, persistent_workers=True, multiprocessing_context='fork'
    )


def test_worker_finds_what_another_loaded(voc):
    paths = [voc.add(name, suffix='.png') for name in 'abcd']
    order = [0, 1, 2, 3]
    batches = loader(Images(paths, cache_mib=1), order)
    first = dict(zip(order, batches, strict=True))
    for path in paths:
        path.unlink()
    order[:] = [1, 0, 3, 2]
    second = dict(zip(order, batches, strict=True))
    for index in range(4):
        assert first[index][0] != second[index][0]
        np.testing.assert_array_equal(second[index][1], first[index][1])


def test_images_that_do_not_fit_are_loaded_from_their_files(voc):
    """1 MiB is 256 pages, and each image takes two."""
    paths = [voc.add('a', suffix='.png')]
    paths += [voc.path(f'JPEGImages/{number}.png') for number in range(139)]
    for path in paths[1:]:
        path.write_bytes(paths[0].read_bytes())
    batches = loader(Images(paths, cache_mib=1), range(140))
    for _ in range(2):
        images = [img for _, img in batches]
        assert len(images) == 140
        assert all(np.array_equal(img, images[0]) for img in images)
    for path in paths:
        path.unlink()
    assert sum(img is not None for _, img in batches) == 128
