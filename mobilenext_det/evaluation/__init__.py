"""How good a network is: average precision, the VOC metric, devkit files, errors, report; a classifier's accuracy."""

from .average_precision import average_precision, match, precision_recall
from .coco_metric import NamedCocoMetric
from .records import Detections, EvaluationSet, ImageRecord, Objects
from .summary import Difficult, Evaluated, Summary, summarise
from .topk_accuracy import TopKAccuracy
from .voc_metric import VOCAveragePrecision

__all__ = [
    'Detections',
    'Difficult',
    'Evaluated',
    'EvaluationSet',
    'ImageRecord',
    'NamedCocoMetric',
    'Objects',
    'Summary',
    'TopKAccuracy',
    'VOCAveragePrecision',
    'average_precision',
    'match',
    'precision_recall',
    'summarise',
]
