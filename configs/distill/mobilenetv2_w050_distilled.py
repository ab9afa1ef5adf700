"""MobileNetV2 of width 0.5 taught as mobilenext_distilled.py says. Not measured."""

_base_ = './mobilenetv2_distilled.py'

model = dict(backbone=dict(widen_factor=0.5))
