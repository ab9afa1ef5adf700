"""MobileNeXt of width 1.4 by the article's recipe."""

_base_ = './mobilenext_imagenet.py'

model = dict(backbone=dict(widen_factor=1.4))
