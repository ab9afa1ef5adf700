"""MobileNeXt at width 0.75; the extra levels keep their widths, as in the authors' code."""

_base_ = './ssdlite_mobilenext_voc_scratch.py'

model = dict(backbone=dict(widen_factor=0.75))
