"""MobileNetV2 on CIFAR-10 by the recipe of mobilenext_cifar10.py. Not measured."""

_base_ = ['./mobilenext_cifar10.py', '../_base_/models/ssdlite_mobilenetv2.py']

model = dict(backbone=dict(_base_.mobilenetv2.backbone, total_stride=_base_.model.backbone.total_stride))
