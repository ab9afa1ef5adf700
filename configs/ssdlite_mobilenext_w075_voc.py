"""MobileNeXt at width 0.75; the extra levels keep their widths, as in the authors' code."""

_base_ = './ssdlite_mobilenext_voc_scratch.py'

model = dict(
    backbone=dict(widen_factor=0.75),
    neck=dict(in_channels=(432, 1280, 1280)),
    bbox_head=dict(in_channels=(432, 1280, 512, 256, 256, 128)),
)
