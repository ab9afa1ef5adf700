"""What feeds a detector: VOC data read with a check, and the augmentation of SSD."""

from .crops import SSDRandomCrop
from .expand import SSDExpand
from .loading import CheckedLoadImage
from .photometric import SSDPhotoMetricDistortion
from .sampler import ResumableSampler, SeedBySample, SeededIndex
from .voc import BadDataError, CheckedVOCDataset

__all__ = [
    'BadDataError',
    'CheckedLoadImage',
    'CheckedVOCDataset',
    'ResumableSampler',
    'SSDExpand',
    'SSDPhotoMetricDistortion',
    'SSDRandomCrop',
    'SeedBySample',
    'SeededIndex',
]
