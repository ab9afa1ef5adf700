"""Images loaded with a check."""

from __future__ import annotations

import logging

import cv2
from mmcv.transforms import LoadImageFromFile
from mmdet.registry import TRANSFORMS
from mmengine.logging import print_log

from .image_check import BrokenImageError, check_complete


@TRANSFORMS.register_module()
class CheckedLoadImage(LoadImageFromFile):
    """Load an image for training, and pass over one that broke after the data set was read.

    A missing or cut-off image ends stock training hours in, and one with zeros for its end is trained on. Here each is
    logged by name and another image is drawn in its place. Test pipelines keep ``LoadImageFromFile``: nothing may be
    passed over there, and :class:`mmdet.apis.DetInferencer` looks for it by name.

    Args:
        **kwargs: As for :class:`mmcv.transforms.LoadImageFromFile`.
    """

    def transform(self, results: dict) -> dict | None:
        """Load ``results['img_path']``.

        Args:
            results: The image's entry; where it states ``height`` and ``width``, the boxes were checked against these.

        Returns:
            The entry with ``img``, ``img_shape`` and ``ori_shape``; None if the image is broken or changed its size.
        """
        path, stated = results['img_path'], (results.get('height'), results.get('width'))
        try:
            check_complete(path)
            results = super().transform(results)
            if None not in stated and results['img_shape'] != stated:
                raise BrokenImageError(f'it loads as {results["img_shape"]}, but was {stated}')
        except (OSError, BrokenImageError, AssertionError, cv2.error) as error:
            print_log(f'{path}: skipped in training, for {error}', logger='current', level=logging.WARNING)
            return None
        return results
