"""What feeds a detector: VOC data read with a check, and the augmentation of SSD; and images for pretraining."""

from mobilenext_det.errors import BadDataError

from .class_balanced import ClassBalancedDataset
from .coco import CheckedCocoDataset
from .crops import SSDRandomCrop
from .expand import SSDExpand
from .image_folder import ImageFolder
from .loading import CheckedLoadImage
from .pack_image import PackImage
from .packed_batch import PackedBatch, packed_collate
from .photometric import SSDPhotoMetricDistortion
from .sampler import ResumableSampler, SeedBySample, SeededIndex
from .unlabelled_images import UnlabelledImages
from .voc import CheckedVOCDataset

__all__ = [
    'BadDataError',
    'CheckedCocoDataset',
    'CheckedLoadImage',
    'CheckedVOCDataset',
    'ClassBalancedDataset',
    'ImageFolder',
    'PackImage',
    'PackedBatch',
    'ResumableSampler',
    'SSDExpand',
    'SSDPhotoMetricDistortion',
    'SSDRandomCrop',
    'SeedBySample',
    'SeededIndex',
    'packed_collate',
    'UnlabelledImages',
]
