"""MobileNetV2 on Tiny ImageNet by the recipe of mobilenext_tiny_imagenet.py. Not measured."""

_base_ = ['./mobilenext_tiny_imagenet.py', '../_base_/models/ssdlite_mobilenetv2.py']

model = dict(backbone=dict(_base_.mobilenetv2.backbone, total_stride=_base_.model.backbone.total_stride))
