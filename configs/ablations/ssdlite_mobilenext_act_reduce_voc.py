"""Another activation after the reduction: the bottleneck is no longer linear.

3476308 parameters, 708726528 multiply-adds at 320 pixels.
"""

_base_ = '../ssdlite_mobilenext_voc_scratch.py'

act_after = ('depthwise_in', 'reduce', 'expand')
model = dict(backbone=dict(block_cfg=dict(type='ActivationSandglassBlock', act_after=act_after)))
