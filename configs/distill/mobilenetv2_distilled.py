"""MobileNetV2 by the same teacher, images, views and steps: the baseline. Not measured."""

_base_ = ['./mobilenext_distilled.py', '../_base_/models/ssdlite_mobilenetv2.py']

model = dict(backbone=_base_.mobilenetv2.backbone)
