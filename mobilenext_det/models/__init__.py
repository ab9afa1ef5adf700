"""Backbones, neck, head and priors; importing this module registers them in MMDetection."""

from .autocast_conv import AutocastConv2d
from .mobilenetv2 import TappedMobileNetV2
from .mobilenext import MobileNeXt
from .priors import SSDLitePriorGenerator
from .sandglass import SandglassBlock
from .ssdlite_head import SSDLiteHead
from .ssdlite_neck import SSDLiteNeck

__all__ = [
    'AutocastConv2d',
    'MobileNeXt',
    'SSDLiteHead',
    'SSDLiteNeck',
    'SSDLitePriorGenerator',
    'SandglassBlock',
    'TappedMobileNetV2',
]
