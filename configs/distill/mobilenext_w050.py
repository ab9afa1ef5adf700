"""MobileNeXt of width 0.5 taught as mobilenext.py says. Not measured."""

_base_ = './mobilenext.py'

model = dict(backbone=dict(widen_factor=0.5))
