"""MobileNetV2 by the same recipe: the baseline."""

_base_ = ['./mobilenext_imagenet.py', '../_base_/models/ssdlite_mobilenetv2.py']

model = dict(backbone=_base_.mobilenetv2.backbone)
