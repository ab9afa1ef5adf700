"""The recipe of bccd_mobilenext.py on MobileNetV2, tapped as MobileNeXt is, at the 288-channel expansion.

1651680 parameters, 91246848 multiply-adds at 192 pixels.
"""

_base_ = './bccd_mobilenetv2_block.py'

model = dict(backbone=dict(tap='expansion'))
