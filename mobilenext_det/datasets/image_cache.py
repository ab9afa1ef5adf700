"""Decoded images in memory that the workers of a data loader share."""

from __future__ import annotations

import logging
import mmap
import multiprocessing
import os
import struct
from hashlib import blake2b
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
from mmengine.logging import print_log

MIB = 2**20
MEMORY_SHARE = 1 / 4
"""The largest part of the memory that caches take, all processes of a machine together."""

_STATE = struct.Struct('QQ')  # pages taken, images listed
_ENTRY = struct.Struct('16sQIII')  # digest of the name, first page, height, width, channels
_caches: WeakValueDictionary[int, ImageCache] = WeakValueDictionary()


class ImageCache:
    """Images that one process decoded, for itself and the processes forked from it.

    The memory is mapped before the workers are forked and taken page by page as images come in, until it is full.
    Nothing is ever dropped to make room: every image is asked for once an epoch, in a new order, so that which ones
    are kept makes no difference. Images are copied in and out without a lock; only the list of them is locked, and a
    process reads it up to its end when it misses an image.

    A copy (``copy.deepcopy``) shares the memory. Other processes cannot: pickled, as for workers that are spawned, a
    cache becomes None.

    Args:
        size: Largest number of bytes for pixels. Each image begins a page, so that there are never more images
            than pages to list.

    Attributes:
        size: That number, in whole pages.
    """

    def __init__(self, size: int) -> None:
        self._pages = size // mmap.PAGESIZE
        self.size = self._pages * mmap.PAGESIZE
        self._pixels = mmap.mmap(-1, self.size)
        self._list = mmap.mmap(-1, _STATE.size + self._pages * _ENTRY.size)
        self._lock = multiprocessing.get_context('fork').Lock()
        self._places: dict[bytes, tuple[int, ...]] = {}
        self._num_read = 0
        self._said_lost = False

    def get(self, name: str) -> np.ndarray | None:
        """Return a copy of the image that was put in under a name, by whichever process; None if none was."""
        key = _digest(name)
        if key not in self._places:
            self._read_list()
        if key not in self._places:
            return None
        page, *shape = self._places[key]
        return self._view(page, tuple(shape)).copy()

    def put(self, name: str, image: np.ndarray) -> None:
        """Keep a copy of an image if there is room for it.

        Args:
            name: What to find it by; an image that is put in twice takes the room of two.
            image: (H, W, C) of 8 bits a channel; others are not kept.
        """
        if image.ndim != 3 or image.dtype != np.uint8:
            return
        page = self._take(-(-image.nbytes // mmap.PAGESIZE))
        if page is None:
            return
        if page == 0:
            self._say_size()
        self._view(page, image.shape)[...] = image
        with self._lock:
            taken, listed = _STATE.unpack_from(self._list)
            _ENTRY.pack_into(self._list, _STATE.size + listed * _ENTRY.size, _digest(name), page, *image.shape)
            _STATE.pack_into(self._list, 0, taken, listed + 1)

    def _view(self, page: int, shape: tuple[int, ...]) -> np.ndarray:
        return np.ndarray(shape, np.uint8, self._pixels, page * mmap.PAGESIZE)

    def _take(self, pages: int) -> int | None:
        """Take free pages; return the first, or None if there are too few."""
        with self._lock:
            taken, listed = _STATE.unpack_from(self._list)
            if taken + pages > self._pages:
                return None
            _STATE.pack_into(self._list, 0, taken + pages, listed)
        return taken

    def _read_list(self) -> None:
        """Learn of the images that other processes put in."""
        with self._lock:
            _, listed = _STATE.unpack_from(self._list)
            for number in range(self._num_read, listed):
                key, *place = _ENTRY.unpack_from(self._list, _STATE.size + number * _ENTRY.size)
                self._places[key] = tuple(place)
        self._num_read = listed

    def _say_size(self) -> None:
        print_log(
            f"Image cache: up to {self.size // MIB} MiB of decoded training images, shared by the loader's workers.",
            logger='current',
        )

    def __deepcopy__(self, memo: dict) -> ImageCache:
        """Share the memory."""
        return self

    def __reduce__(self) -> tuple:
        """Become None where the memory cannot be shared, and say so once."""
        if not self._said_lost:
            self._said_lost = True
            print_log(
                'Image cache: none in workers that are spawned; it takes mp_start_method="fork".',
                logger='current',
                level=logging.WARNING,
            )
        return type(None), ()


def shared_cache(mib: int) -> ImageCache | None:
    """Return this process's cache of a size, which all that ask for the same size share as long as one of them lives.

    Args:
        mib: Its size in MiB; less is taken where that is more than this process's part of a quarter of the
            memory.

    Returns:
        The cache; None for size 0, and where processes cannot be forked or memory cannot be mapped.
    """
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1))  # torchrun's; each has a cache of its own
    size = min(mib * MIB, int(memory_limit() * MEMORY_SHARE / processes))
    if size < mmap.PAGESIZE or 'fork' not in multiprocessing.get_all_start_methods():
        return None
    cache = _caches.get(size)
    if cache is None:
        try:
            cache = _caches[size] = ImageCache(size)
        except OSError as error:
            print_log(f'Image cache: none, for {size // MIB} MiB cannot be mapped ({error}).', logger='current')
    return cache


def memory_limit(root: str | Path = '/') -> int:
    """Return the bytes of memory that this process may use: the machine's, or what its control groups leave of it.

    Args:
        root: The folder that holds proc/ and sys/.
    """
    root = Path(root)
    limits = [os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')]
    groups = root / 'proc/self/cgroup'
    for line in groups.read_text().splitlines() if groups.is_file() else ():
        _, controllers, group = line.split(':', 2)
        mounted = root / ('sys/fs/cgroup/memory' if controllers else 'sys/fs/cgroup')
        # A group inherits the limits of those above it; in a container only the uppermost may be visible.
        for folder in (Path(group), *Path(group).parents):
            for name in ('memory.max', 'memory.limit_in_bytes'):
                limit = mounted / folder.relative_to('/') / name
                if limit.is_file() and (text := limit.read_text().strip()).isdecimal():
                    limits.append(int(text))
    return min(limits)


def _digest(name: str) -> bytes:
    return blake2b(os.fsencode(name), digest_size=16).digest()
