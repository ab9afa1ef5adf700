import mmap
import multiprocessing
import os
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.logging import MMLogger

from mobilenext_det.datasets.image_cache import MIB, ImageCache, memory_limit, shared_cache

SIDES = (1, 20, 37, 60)


def make(name, sides=SIDES):
    """An image that the name alone determines."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return rng.integers(0, 256, (rng.choice(sides), rng.choice(sides), 3), dtype=np.uint8)


def pages(image):
    return -(-image.nbytes // mmap.PAGESIZE)


@settings(max_examples=100)
@given(names=st.lists(st.text('abc', max_size=2), max_size=30), room=st.integers(1, 12))
def test_keeps_what_fits_and_nothing_else(names, room):
    cache, kept, free = ImageCache(room * mmap.PAGESIZE), set(), room
    for name in names:
        image = make(name)
        if cache.get(name) is None:
            assert name not in kept
            cache.put(name, image)
            if pages(image) <= free:
                kept.add(name)
                free -= pages(image)
        for known in {*names, 'other'}:
            found = cache.get(known)
            assert (found is not None) == (known in kept)
            if found is not None:
                np.testing.assert_array_equal(found, make(known))


def test_only_8_bit_images_with_channels_are_kept():
    cache = ImageCache(MIB)
    for image in (make('a').astype(np.float32), make('a')[..., 0]):
        cache.put('a', image)
        assert cache.get('a') is None
    cache.put('a', make('a')[..., ::-1])  # a view, as some decoders give
    np.testing.assert_array_equal(cache.get('a'), make('a')[..., ::-1])


def test_names_that_are_not_text_are_told_apart():
    cache = ImageCache(MIB)
    cache.put(os.fsdecode(b'\xff'), make('a'))
    assert cache.get(os.fsdecode(b'\xfe')) is None
    assert cache.get(os.fsdecode(b'\xff')) is not None


def fill(cache, seed, names, started):
    started.wait()
    for index in np.random.default_rng(seed).permutation(len(names)):
        name = names[index]
        found = cache.get(name)
        if found is None:
            cache.put(name, make(name))
        else:
            np.testing.assert_array_equal(found, make(name))


@pytest.mark.parametrize('room', [100, 10000])
def test_processes_that_write_at_once_spoil_nothing(room):
    fork = multiprocessing.get_context('fork')
    cache, names = ImageCache(room * mmap.PAGESIZE), [str(number) for number in range(300)]
    started = fork.Barrier(4)
    writers = [fork.Process(target=fill, args=(cache, seed, names, started)) for seed in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    found = {name: image for name in names if (image := cache.get(name)) is not None}
    assert sum(map(pages, found.values())) <= room
    assert len(found) == 300 if room == 10000 else 20 < len(found) < 300
    for name, image in found.items():
        np.testing.assert_array_equal(image, make(name))


def test_one_line_says_how_large_it_is(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        cache = shared_cache(8)
        cache.get('a')
        assert caplog.messages == []
        cache.put('a', make('a'))
        cache.put('b', make('b'))
    finally:
        logger.removeHandler(caplog.handler)
    assert caplog.messages == ["Image cache: up to 8 MiB of decoded training images, shared by the loader's workers."]


def test_one_cache_of_a_size_until_nobody_holds_it():
    first, second = shared_cache(2), shared_cache(2)
    assert first is second
    assert shared_cache(3) is not first
    first.put('a', make('a'))
    del first, second
    assert shared_cache(2).get('a') is None


def test_size_0_is_no_cache():
    assert shared_cache(0) is None


def test_a_quarter_of_the_memory_is_not_exceeded(monkeypatch):
    """However much is asked for, the same is given: the process's part of a quarter."""
    largest, larger = shared_cache(2**40), shared_cache(2**41)
    assert largest is larger
    assert memory_limit() / 4 - mmap.PAGESIZE < largest.size <= memory_limit() / 4
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '4')
    assert memory_limit() / 16 - mmap.PAGESIZE < shared_cache(2**40).size <= memory_limit() / 16


def write(root, **files):
    for path, text in files.items():
        path = root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


MACHINE = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
V1_UNLIMITED = '9223372036854771712\n'


@pytest.mark.parametrize(
    ('files', 'limit'),
    [
        ({}, MACHINE),
        ({'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': '5000000\n'}, 5000000),
        ({'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/memory.max': 'max\n'}, MACHINE),
        (
            {
                'proc/self/cgroup': '0::/jobs/7\n',
                'sys/fs/cgroup/jobs/7/memory.max': 'max\n',
                'sys/fs/cgroup/jobs/memory.max': '6000000\n',
            },
            6000000,
        ),
        (
            {
                'proc/self/cgroup': '5:cpu,cpuacct:/job\n4:memory:/docker/1\n',
                'sys/fs/cgroup/memory/memory.limit_in_bytes': '7000000\n',
            },
            7000000,
        ),
        ({'proc/self/cgroup': '4:memory:/\n', 'sys/fs/cgroup/memory/memory.limit_in_bytes': V1_UNLIMITED}, MACHINE),
    ],
)
def test_memory_is_the_machines_or_its_control_groups(tmp_path, files, limit):
    write(tmp_path, **files)
    assert memory_limit(tmp_path) == limit
