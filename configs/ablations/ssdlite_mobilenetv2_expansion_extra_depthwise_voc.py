"""MobileNetV2 with two depthwise convolutions a block, tapped as MobileNeXt is, at the 576-channel expansion.

3588004 parameters, 783420672 multiply-adds at 320 pixels.
"""

_base_ = '../ssdlite_mobilenetv2_expansion_voc.py'

model = dict(backbone=dict(block='extra_depthwise', init_cfg=None))
