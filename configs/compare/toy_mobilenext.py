"""The comparison on the synthetic set: the demo's recipe at width 0.5 and 192 pixels. This one is MobileNeXt.

2043084 parameters, 95401984 multiply-adds at 192 pixels.
"""

_base_ = '../ssdlite_mobilenext_toy.py'

model = dict(backbone=dict(widen_factor=0.5))
