"""The recipe of ssdlite_mobilenext_voc_30e.py at width 0.5."""

_base_ = './ssdlite_mobilenext_voc_30e.py'

pretrained = '{{ fileDirname }}/../../checkpoints/mobilenext_w050_distilled-161c5f77.pth'
model = dict(backbone=dict(widen_factor=0.5, init_cfg=dict(checkpoint=pretrained)))
