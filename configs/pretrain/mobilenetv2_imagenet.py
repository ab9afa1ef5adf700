"""MobileNetV2 by the same recipe: the baseline."""

_base_ = './mobilenext_imagenet.py'

model = dict(backbone=dict(_delete_=True, type='TappedMobileNetV2', conv_cfg=_base_.conv_cfg))
