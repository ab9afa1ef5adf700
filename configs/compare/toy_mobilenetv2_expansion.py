"""The recipe of toy_mobilenext.py on MobileNetV2, tapped as MobileNeXt is, at the 288-channel expansion.

1923204 parameters, 100784256 multiply-adds at 192 pixels.
"""

_base_ = './toy_mobilenetv2_block.py'

model = dict(backbone=dict(tap='expansion'))
