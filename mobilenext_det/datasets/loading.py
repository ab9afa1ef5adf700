"""Images loaded with a check."""

from __future__ import annotations

import logging
import os
from typing import Any

import cv2
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS
from mmengine.logging import print_log

from mobilenext_det.errors import MachineError

from .image_cache import shared_cache
from .image_check import BrokenImageError, check_complete
from .reading import reading_trouble


@TRANSFORMS.register_module()
class CheckedLoadImage(LoadImageFromFile):
    """Load an image for training, and pass over one that broke after the data set was read.

    A missing or cut-off image ends stock training hours in, and one with zeros for its end is trained on. Here each is
    logged by name and another image is drawn in its place. What is not the file's fault (too many open files, no
    memory, no permission, a folder that is gone) would leave out one good image after the other, and stops the run.

    Test pipelines keep ``LoadImageFromFile``: nothing may be passed over there, and :class:`mmdet.apis.DetInferencer`
    looks for it by name.

    With ``cache_mib``, decoded images are kept in a :func:`~mobilenext_det.datasets.image_cache.shared_cache`, one for
    all workers and all data sets of a process; in distributed training every process has its own. What is in there is
    not read again: a file that breaks, or is replaced, after it was loaded goes unnoticed. Decoding takes 1 ms of the
    70 that an image takes on a CPU, so that this pays, if at all, where a GPU waits for the workers.

    Args:
        cache_mib: Largest size of the cache in MiB, and never more than a quarter of the memory; 0, the default, for
            none.
        **kwargs: As for :class:`mmcv.transforms.LoadImageFromFile`.

    Raises:
        ValueError: If ``cache_mib`` is negative.
        MachineError: While loading, if an image cannot be read for a reason that lies in the machine.
    """

    def __init__(self, *, cache_mib: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if cache_mib < 0:
            raise ValueError(f'cache_mib is {cache_mib}; it must be 0, for no cache, or more.')
        self._cache = shared_cache(cache_mib)  # now, before the workers are forked
        self._decoder = repr(self)

    def transform(self, results: dict) -> dict | None:
        """Load ``results['img_path']``.

        Args:
            results: The image's entry; where it states ``height`` and ``width``, the boxes were checked against these.

        Returns:
            The entry with ``img``, ``img_shape`` and ``ori_shape``; None if the image is broken or changed its size.
        """
        path, stated = results['img_path'], (results.get('height'), results.get('width'))
        try:
            results = self._load(results)
            if None not in stated and results['img_shape'] != stated:
                raise BrokenImageError(f'it loads as {results["img_shape"]}, but was {stated}')
        except (OSError, MemoryError, BrokenImageError, AssertionError, cv2.error) as error:
            _raise_trouble(error, path)
            print_log(f'{path}: skipped in training, for {error}', logger='current', level=logging.WARNING)
            return None
        return results

    def _load(self, results: dict) -> dict:
        """Take the image from the cache, or from its file into the cache."""
        path = results['img_path']
        name = f'{self._decoder} {path}'  # files that are decoded in two ways give two images
        img = self._cache.get(name) if self._cache else None
        if img is not None:
            results.update(img=img, img_shape=img.shape[:2], ori_shape=img.shape[:2])
            return results
        check_complete(path)
        results = super().transform(results)
        if self._cache:
            self._cache.put(name, results['img'])
        return results


def _raise_trouble(error: Exception, path: str) -> None:
    """Raise what is the machine's trouble, not the file's."""
    if isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem:
        error = MemoryError()
    if isinstance(error, OSError | MemoryError) and (trouble := reading_trouble(error, path)):
        raise trouble from error
    folder = os.path.dirname(path)
    if not os.path.isdir(folder) or not os.listdir(folder):
        raise MachineError(
            f'{path}: its folder is gone or empty, as when a disk or a network folder is lost; bring it back and '
            'continue with --resume.'
        ) from error
