"""Depthwise convolutions in the bottleneck, on few channels, in every block of stride 1 that has them.

3348708 parameters, 671891328 multiply-adds at 320 pixels.
"""

_base_ = '../ssdlite_mobilenext_voc_scratch.py'

model = dict(backbone=dict(block_cfg=dict(type='NarrowDepthwiseSandglassBlock')))
