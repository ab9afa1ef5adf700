"""Squeeze-and-excitation, reduced by 16, on the wide output of every block.

4325281 parameters, 709565216 multiply-adds at 320 pixels.
"""

_base_ = '../ssdlite_mobilenext_voc_scratch.py'

model = dict(backbone=dict(se_cfg=dict(ratio=16)))
