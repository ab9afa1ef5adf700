"""MobileNetV2 with two depthwise convolutions a block, as MobileNeXt has, C4 from the 96-channel stage output.

3504484 parameters, 751164672 multiply-adds at 320 pixels.
"""

_base_ = '../ssdlite_mobilenetv2_voc.py'

model = dict(backbone=dict(block='extra_depthwise', init_cfg=None))
