"""The comparison's MobileNeXt, trained in float32: what faster arithmetic costs in accuracy.

2043084 parameters, 95401984 multiply-adds at 192 pixels.
"""

_base_ = './toy_mobilenext.py'

optim_wrapper = dict(type='OptimWrapper')
