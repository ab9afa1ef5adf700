"""The random crop of SSD."""

from __future__ import annotations

import numpy as np
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import autocast_box_type

MIN_IOUS = (0.1, 0.3, 0.7, 0.9)
NUM_TRIALS = 50
MIN_SIDE = 0.3
MAX_ASPECT = 2


@TRANSFORMS.register_module()
class SSDRandomCrop(BaseTransform):
    """Crop a random part of the image that shows at least one object well enough.

    One of six modes is drawn: the whole image, a smallest IoU of .1, .3, .7 or .9 between the crop and a box, or no
    smallest IoU. Up to 50 crops are tried, each side .3 to 1 of the image's and height / width between 1/2 and 2; the
    first is taken that reaches the IoU with *any* box and holds the centre of one. If none does, the mode is drawn
    again. Boxes whose centre lies inside the crop are kept and clipped to it, so that every one of them keeps an area.

    :class:`mmdet.datasets.transforms.MinIoURandomCrop` wants *all* boxes above the IoU, which leaves hardly any
    zoom-in on images with several objects, and adds a mode of .5.

    Ignored boxes follow the same rule of centres but neither admit nor reject a crop. An image without other boxes is
    left whole. Masks and segmentation maps are not cropped.

    Required and modified keys: ``img`` (H, W, C), ``gt_bboxes``, ``gt_bboxes_labels``, ``gt_ignore_flags``; modified:
    ``img_shape``. All draws come from ``numpy.random``.
    """

    @autocast_box_type()
    def transform(self, results: dict) -> dict:
        """Crop the image and its boxes.

        Args:
            results: The entry of one image.

        Returns:
            The entry, cropped.
        """
        height, width = results['img'].shape[:2]
        boxes = results['gt_bboxes'].numpy()
        crop = draw_crop(width, height, boxes[~results['gt_ignore_flags']])
        if crop is None:
            return results
        left, top, right, bottom = crop.tolist()
        kept = centres_inside(boxes, crop)
        results['img'] = results['img'][top:bottom, left:right]
        results['img_shape'] = results['img'].shape[:2]
        results['gt_bboxes'] = results['gt_bboxes'][kept]
        results['gt_bboxes'].translate_([-left, -top])
        results['gt_bboxes'].clip_(results['img_shape'])
        results['gt_bboxes_labels'] = results['gt_bboxes_labels'][kept]
        results['gt_ignore_flags'] = results['gt_ignore_flags'][kept]
        return results

    def __repr__(self) -> str:
        """Name the transform; it has no options."""
        return f'{type(self).__name__}()'


def draw_crop(width: int, height: int, boxes: np.ndarray) -> np.ndarray | None:
    """Draw a crop for an image.

    Args:
        width: The image's width in pixels.
        height: The image's height in pixels.
        boxes: Boxes (N, 4) of which one is to be seen.

    Returns:
        (left, top, right, bottom) in whole pixels; None for the whole image, always so where there are no boxes.
    """
    if len(boxes) == 0:
        return None
    while (mode := np.random.randint(len(MIN_IOUS) + 2)) > 0:
        min_iou = MIN_IOUS[mode - 1] if mode <= len(MIN_IOUS) else 0
        crops = _draw_trials(width, height)
        accepted = (_ious(crops, boxes).max(1, initial=0) >= min_iou) & centres_inside(boxes, crops[:, None]).any(1)
        if accepted.any():
            return crops[accepted.argmax()]
    return None


def _draw_trials(width: int, height: int) -> np.ndarray:
    """Draw crops (M, 4) of whole pixels; of the 50 trials, those of the wrong aspect are left out."""
    sides = np.random.uniform(MIN_SIDE, 1, (NUM_TRIALS, 2)) * (width, height)
    corners = np.random.uniform(0, 1, (NUM_TRIALS, 2)) * ((width, height) - sides)
    aspects = sides[:, 1] / sides[:, 0]
    allowed = np.maximum(aspects, 1 / aspects) <= MAX_ASPECT
    return np.concatenate([corners, corners + sides], axis=1)[allowed].astype(int)


def centres_inside(boxes: np.ndarray, crops: np.ndarray) -> np.ndarray:
    """Tell which boxes (..., 4) have their centre strictly inside a crop (..., 4)."""
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    return ((crops[..., :2] < centres) & (centres < crops[..., 2:])).all(-1)


def _ious(crops: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the IoUs (M, N) of crops (M, 4) with boxes (N, 4)."""
    crops = crops[:, None]
    sides = np.minimum(crops[..., 2:], boxes[:, 2:]) - np.maximum(crops[..., :2], boxes[:, :2])
    intersections = sides.clip(0).prod(-1)
    areas = (crops[..., 2:] - crops[..., :2]).prod(-1) + (boxes[:, 2:] - boxes[:, :2]).prod(-1)
    return intersections / (areas - intersections)
