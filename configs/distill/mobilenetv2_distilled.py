"""MobileNetV2 by the same teacher, images, views and steps: the baseline. Not measured."""

_base_ = './mobilenext_distilled.py'

model = dict(backbone=dict(_delete_=True, type='TappedMobileNetV2', conv_cfg=_base_.conv_cfg))
