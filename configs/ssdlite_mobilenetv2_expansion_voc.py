"""MobileNetV2 tapped as MobileNeXt is, at the 576-channel expansion: the like-for-like baseline.

3509508 parameters, 714703872 multiply-adds at 320 pixels.
"""

_base_ = './ssdlite_mobilenetv2_voc.py'

model = dict(backbone=dict(tap='expansion'))
