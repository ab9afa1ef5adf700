"""MobileNeXt with squeeze-and-excitation in every block by the article's recipe, like for like."""

_base_ = './mobilenext_imagenet.py'

model = dict(backbone=dict(se_cfg=dict(ratio=16)))
