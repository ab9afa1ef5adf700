"""What judges: average precision, the VOC metric, devkit files, errors and the report; a classifier's accuracy."""

from .average_precision import average_precision, match, precision_recall
from .records import Detections, EvaluationSet, ImageRecord, Objects
from .summary import Summary, summarise
from .topk_accuracy import TopKAccuracy
from .voc_metric import VOCAveragePrecision

__all__ = [
    'Detections',
    'EvaluationSet',
    'ImageRecord',
    'Objects',
    'Summary',
    'TopKAccuracy',
    'VOCAveragePrecision',
    'average_precision',
    'match',
    'precision_recall',
    'summarise',
]
