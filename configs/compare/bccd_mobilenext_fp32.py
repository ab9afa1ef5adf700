"""The comparison's MobileNeXt on blood cells, trained in float32: what faster arithmetic costs in accuracy.

1765032 parameters, 85858048 multiply-adds at 192 pixels.
"""

_base_ = './bccd_mobilenext.py'

optim_wrapper = dict(type='OptimWrapper')
