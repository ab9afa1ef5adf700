"""Shortcuts over a third of the channels (identity tensor multiplier 1/3).

3476308 parameters, 708726528 multiply-adds at 320 pixels.
Published on ImageNet, top-1: 73.91, and 74.02 with whole shortcuts (the authors' README).
"""

_base_ = '../ssdlite_mobilenext_voc_scratch.py'

model = dict(backbone=dict(identity_multiplier=1 / 3))
