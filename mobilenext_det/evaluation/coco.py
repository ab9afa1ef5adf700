"""COCO's average precisions (.5 to .95, and by size of object) of the same detections, by pycocotools."""

from __future__ import annotations

import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .records import Detections, EvaluationSet, Objects

STATISTICS = ('AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large')


class DifficultCOCOeval(COCOeval):
    """COCOeval in which an ignored object keeps its plain overlap.

    pycocotools has one way to leave objects out, the crowd region, whose overlap is the share of the detection that
    lies inside: a small box anywhere in a large difficult object would be excused. Here, as in the VOC devkit, a
    difficult object excuses the detections that overlap it by intersection over union, as many as there are.
    """

    def computeIoU(self, imgId: int, catId: int) -> np.ndarray:  # noqa: N802, N803 (pycocotools' names)
        """Overlaps of one image and class, with no object treated as a crowd region.

        Args:
            imgId: The image.
            catId: The class.

        Returns:
            (D, G) overlaps.
        """
        objects = self._gts[imgId, catId]
        for item in objects:
            item['iscrowd'] = 0
        overlaps = super().computeIoU(imgId, catId)
        for item in objects:
            item['iscrowd'] = item['ignore']
        return overlaps


def coco_average_precision(data: EvaluationSet) -> dict[str, float]:
    """COCO's six average precisions with at most 100 detections an image and class.

    Args:
        data: Objects and detections.

    Returns:
        AP, AP50, AP75, AP_small, AP_medium and AP_large; NaN for a size of which there is no object.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = DifficultCOCOeval(*_to_coco(data), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = evaluation.stats[: len(STATISTICS)]
    return {name: float(value) if value >= 0 else float('nan') for name, value in zip(STATISTICS, values, strict=True)}


def _to_coco(data: EvaluationSet) -> tuple[COCO, COCO]:
    """Objects and detections as pycocotools wants them: indices from 1, boxes as (x, y, width, height)."""
    extra = 1.0 if data.inclusive else 0.0
    common = {
        'images': [{'id': index} for index in range(1, len(data.image_ids) + 1)],
        'categories': [{'id': label, 'name': name} for label, name in enumerate(data.classes, start=1)],
    }

    def rows(source: Objects | Detections, **columns: np.ndarray) -> list[dict]:
        sizes = source.boxes[:, 2:] - source.boxes[:, :2] + extra
        columns |= {
            'id': np.arange(1, len(sizes) + 1),
            'image_id': source.image + 1,
            'category_id': source.label + 1,
            'area': sizes.prod(1),
            'bbox': np.hstack([source.boxes[:, :2], sizes]),
        }
        lists = {name: column.tolist() for name, column in columns.items()}
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]

    ground_truth, detections = COCO(), COCO()
    ground_truth.dataset = common | {'annotations': rows(data.objects, iscrowd=data.objects.difficult.astype(int))}
    detections.dataset = common | {'annotations': rows(data.detections, score=data.detections.scores)}
    ground_truth.createIndex()
    detections.createIndex()
    return ground_truth, detections
