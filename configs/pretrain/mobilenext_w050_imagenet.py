"""MobileNeXt of width 0.5 by the article's recipe."""

_base_ = './mobilenext_imagenet.py'

model = dict(backbone=dict(widen_factor=0.5))
