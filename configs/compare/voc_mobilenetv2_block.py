"""The recipe of voc_mobilenext.py on MobileNetV2, with C4 from the stage output (published way).

3425988 parameters, 245754240 multiply-adds at 192 pixels.
"""

_base_ = './voc_mobilenetv2_expansion.py'

model = dict(backbone=dict(tap='block'))
