"""MobileNetV2 with sandglass blocks of the same channels and strides put in its blocks' place.

1719198 parameters, 194041472 multiply-adds at 320 pixels.
A sixth of MobileNetV2's narrow channels is left in the bottlenecks, so this is not at equal cost: MobileNeXt is.
"""

_base_ = '../ssdlite_mobilenetv2_voc.py'

model = dict(backbone=dict(block='sandglass', init_cfg=None))
