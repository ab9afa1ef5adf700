"""Backbones, detector, neck, head and priors; importing this module registers them in MMDetection."""

from .assigner import BatchATSSAssigner, BatchMaxIoUAssigner
from .autocast_conv import AutocastConv2d
from .classifier import ImageClassifier
from .distilled_classifier import DistilledClassifier, DistilledClassifiers
from .features import Feature, backbone_features
from .mobilenetv2 import TappedMobileNetV2
from .mobilenext import MobileNeXt
from .priors import SSDLitePriorGenerator
from .replace_blocks import replace_blocks
from .sandglass import SandglassBlock
from .sandglass_ablations import ActivationSandglassBlock, NarrowDepthwiseSandglassBlock
from .ssdlite import SSDLite
from .ssdlite_head import SSDLiteHead
from .ssdlite_neck import SSDLiteNeck
from .teacher import Teacher

__all__ = [
    'ActivationSandglassBlock',
    'AutocastConv2d',
    'BatchATSSAssigner',
    'BatchMaxIoUAssigner',
    'DistilledClassifier',
    'DistilledClassifiers',
    'Feature',
    'ImageClassifier',
    'MobileNeXt',
    'NarrowDepthwiseSandglassBlock',
    'SSDLite',
    'SSDLiteHead',
    'SSDLiteNeck',
    'SSDLitePriorGenerator',
    'SandglassBlock',
    'TappedMobileNetV2',
    'Teacher',
    'backbone_features',
    'replace_blocks',
]
