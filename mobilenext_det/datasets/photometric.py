"""The colour distortion of SSD."""

from __future__ import annotations

import cv2
import numpy as np
from mmdet.datasets.transforms import PhotoMetricDistortion
from mmdet.registry import TRANSFORMS

_CIRCLE = np.float32(360)  # an int would have NumPy calculate in int64 and float64, in twice the time


@TRANSFORMS.register_module()
class SSDPhotoMetricDistortion(PhotoMetricDistortion):
    """Distort brightness, contrast, saturation and hue, and swap channels, each with probability .5.

    The draws are those of :class:`mmdet.datasets.transforms.PhotoMetricDistortion`. Two things differ: saturation is
    not cut at 1, as it was not in SSD's training code, which moves strong colours by up to 127 grey levels; and the
    result is contiguous, which spares the next transform a slow copy. Values may leave 0-255, as in SSD.

    Args:
        brightness_delta: Largest amount added to the grey levels.
        contrast_range: Range of the factor on the grey levels.
        saturation_range: Range of the factor on the saturation.
        hue_delta: Largest amount added to the hue, in degrees.
    """

    def transform(self, results: dict) -> dict:
        """Distort the colours of ``results['img']``.

        Args:
            results: The entry of one image, ``img`` being (H, W, 3) in BGR.

        Returns:
            The entry with ``img`` as float32.
        """
        (contrast_first, brightness, contrast, saturation, hue, swap, delta, factor, saturation_factor, turn, order) = (
            self._random_flags()
        )
        img = results['img'].astype(np.float32)
        if brightness:
            img += delta
        if contrast and contrast_first:
            img *= factor
        hsv = cv2.cvtColor(img, cv2.COLOR_BGR2HSV)
        if saturation:
            hsv[..., 1] *= saturation_factor
        if hue:
            hues = hsv[..., 0] + turn
            hues -= _CIRCLE * (hues > _CIRCLE)
            hues += _CIRCLE * (hues < 0)
            hsv[..., 0] = hues
        img = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
        if contrast and not contrast_first:
            img *= factor
        if swap:
            img = cv2.transform(img, np.eye(3, dtype=np.float32)[order])
        results['img'] = img
        return results
