"""MobileNetV2 of width 0.5 taught as mobilenext.py says. Not measured."""

_base_ = './mobilenetv2.py'

model = dict(backbone=dict(widen_factor=0.5))
