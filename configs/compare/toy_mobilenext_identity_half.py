"""The comparison's MobileNeXt with shortcuts over 1/2 of the channels (identity tensor multiplier, section 3.2).

2043084 parameters, 95401984 multiply-adds at 192 pixels.
"""

_base_ = './toy_mobilenext.py'

model = dict(backbone=dict(identity_multiplier=1 / 2))
