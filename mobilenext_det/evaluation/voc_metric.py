"""The metric that configs name: VOC average precision with everything that explains it."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmdet.registry import METRICS
from mmdet.structures.bbox import get_box_tensor
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mobilenext_det.datasets.checked import PROBLEMS
from mobilenext_det.errors import BadDataError, UsageError

from .devkit_files import write_detections
from .records import EvaluationSet, ImageRecord
from .summary import Difficult, Evaluated, Summary, summarise
from .tables import results_text


@METRICS.register_module()
class VOCAveragePrecision(BaseMetric):
    """VOC average precision in both modes, per class, with counts and the operating point of best F1, in one pass.

    Takes the place of mmdet's ``VOCMetric``, which reads class names from ``dataset_type`` so that a custom list is
    labelled with VOC's names, rounds, and gives one mode (mmdetection#10085, #11592, #11535). This one needs
    nothing but ``classes`` in the data set's metainfo: it works with VOCDataset, with any class list, with CocoDataset
    and with ConcatDataset.

    Keys: ``mAP_11points``, ``mAP_area``; ``precision``, ``recall`` and ``F1`` at the score where F1
    over all classes is highest, and that ``score``; with ``classwise`` ``AP_11points/<class>`` and
    ``AP_area/<class>``; with ``coco`` ``coco_AP`` and the other five. The whole result stays in :attr:`summary`,
    what it was computed from in :attr:`data`.

    Args:
        iou_threshold: Overlap that a true positive reaches.
        difficult: 'ignore' leaves difficult (and crowd) objects and the detections on them out, as the devkit does;
            'count' treats them like all others.
        inclusive: Boxes contain their last pixel, as in VOC's files; False where boxes end before it (COCO).
        classwise: Whether the average precisions of every class are returned; the table shows them in any case.
        coco: Whether AP at .5:.95 and by size is computed by pycocotools as well; it takes far longer than the rest.
        report_dir: Folder for the report with its pictures and for the detections as devkit files; None for no report.
        report_title: Heading of the report.
        collect_device: 'cpu' or 'gpu', how results of several processes are collected.
        prefix: What the keys begin with.
        collect_dir: Folder through which the processes exchange results.
    """

    default_prefix = 'voc'

    def __init__(
        self,
        iou_threshold: float = 0.5,
        difficult: Difficult = 'ignore',
        inclusive: bool = True,
        classwise: bool = True,
        coco: bool = False,
        report_dir: str | None = None,
        report_title: str = 'VOC evaluation',
        collect_device: str = 'cpu',
        prefix: str | None = None,
        collect_dir: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if not isinstance(iou_threshold, int | float) or not 0 < iou_threshold <= 1:
            raise UsageError(
                f'iou_threshold={iou_threshold!r} of VOCAveragePrecision must be one number above 0 and up to 1: for '
                "several, list one metric each in the evaluator, with a prefix of its own (prefix='voc75')."
            )
        self.iou_threshold = iou_threshold
        self.difficult = difficult
        self.inclusive = inclusive
        self.classwise = classwise
        self.coco = coco
        self.report_dir = report_dir
        self.report_title = report_title
        self.summary: Summary | None = None
        self.data: EvaluationSet | None = None
        self._warned = False

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep what evaluation needs of a batch.

        Args:
            data_batch: Not used.
            data_samples: Annotations and predictions, in pixels of the original image.
        """
        for sample in data_samples:
            self.results.append(_record(sample))
            self._check_scale(self.results[-1], sample.get('ori_shape'))

    def compute_metrics(self, results: list[ImageRecord]) -> dict[str, float]:
        """Evaluate the whole set and print the table of classes.

        Args:
            results: One record an image.

        Returns:
            The metrics by name.

        Raises:
            BadDataError: The data set's metainfo holds no class names, or boxes or scores are no proper numbers.
        """
        self.data = data = EvaluationSet.from_records(results, self._classes(), self.inclusive)
        self.summary = summarise(data, self.iou_threshold, self.difficult, self.coco)
        print_log(f'\n{results_text(self.summary)}', logger='current')
        if math.isnan(self.summary.mAP_area):
            print_log(
                f'mAP is undefined: the {len(results)} images hold no object of the classes {", ".join(data.classes)}; '
                'compare this list with the names in the annotations.',
                logger='current',
                level=logging.WARNING,
            )
        if self.report_dir:
            self.write_report(self.report_dir, self.report_title)
        return self._metrics(self.summary)

    def _check_scale(self, record: ImageRecord, shape: tuple[int, int] | None) -> None:
        """Warn once of objects outside their image, the mark of annotations that were resized with the image."""
        if shape is None or self._warned or not len(record.object_boxes):
            return
        x2, y2 = record.object_boxes[:, 2:].max(0)
        if x2 > shape[1] + 1 or y2 > shape[0] + 1:
            self._warned = True
            print_log(
                f'Image {record.image_id} is {shape[1]} x {shape[0]}, but its objects reach to ({x2:.0f}, {y2:.0f}): '
                'mAP will be wrong; put LoadAnnotations behind Resize in the test pipeline, or correct the annotation.',
                logger='current',
                level=logging.WARNING,
            )

    def write_report(self, folder: str | Path, title: str) -> None:
        """Write the report of what was evaluated last, and its detections as devkit files.

        Args:
            folder: Where they go.
            title: Heading of the report.
        """
        from .report import write_report  # matplotlib is for those who want pictures

        assert self.data is not None and self.summary is not None, 'nothing was evaluated yet'
        page = write_report(folder, [Evaluated(title, self.data, self.summary)], title)
        print_log(f'The report is {page}.', logger='current')
        try:
            write_detections(self.data, Path(folder, 'detections'))
        except BadDataError as error:
            print_log(f'The detections were not written to files: {error}', logger='current', level=logging.WARNING)

    def _classes(self) -> tuple[str, ...]:
        classes = (self.dataset_meta or {}).get('classes')
        if not classes or isinstance(classes, str):
            raise BadDataError(f"The data set's metainfo has classes={classes!r}; give it a tuple of class names.")
        return tuple(classes)

    def _metrics(self, summary: Summary) -> dict[str, float]:
        metrics = {'mAP_11points': summary.mAP_11points, 'mAP_area': summary.mAP_area}
        if summary.best:
            best = summary.best
            metrics |= {'precision': best.precision, 'recall': best.recall, 'F1': best.f1, 'score': best.score}
        metrics |= {f'coco_{name}': value for name, value in summary.coco.items()}
        if self.classwise:
            for mode in ('11points', 'area'):
                metrics |= {f'AP_{mode}/{row.name}': getattr(row, f'AP_{mode}') for row in summary.classes}
        return metrics


def _record(sample: Mapping) -> ImageRecord:
    """What is kept of one data sample, as small arrays."""
    image = str(sample.get('img_id', sample.get('img_path', '?')))
    if 'bboxes' not in sample.get('gt_instances', ()):
        raise UsageError(
            f'Image {image} came without annotations: put LoadAnnotations(with_bbox=True) behind Resize in the test '
            'pipeline.'
        )
    objects, ignored, found = sample['gt_instances'], sample.get('ignored_instances', {}), sample['pred_instances']
    boxes, labels = _array(objects['bboxes'], 4), _array(objects['labels'])
    ignored_boxes, ignored_labels = _array(ignored.get('bboxes', ()), 4), _array(ignored.get('labels', ()))
    return ImageRecord(
        image_id=image,
        image_path=str(sample.get('img_path', '')),
        object_boxes=np.concatenate([boxes, ignored_boxes]),
        object_labels=np.concatenate([labels, ignored_labels]),
        difficult=np.arange(len(labels) + len(ignored_labels)) >= len(labels),
        boxes=_array(found['bboxes'], 4),
        labels=_array(found['labels']),
        scores=_array(found['scores']),
        problems=sample.get(PROBLEMS, {}),
    )


def _array(values: Any, *row: int) -> np.ndarray:
    """A tensor, box structure or sequence as an array on the CPU; bfloat16, which numpy lacks, becomes float32."""
    tensor = torch.as_tensor(get_box_tensor(values)).detach().cpu()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy().reshape(-1, *row)
