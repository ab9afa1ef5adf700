"""An activation after each of the four convolutions of a block.

3476308 parameters, 708726528 multiply-adds at 320 pixels.
"""

_base_ = '../ssdlite_mobilenext_voc_scratch.py'

act_after = ('depthwise_in', 'reduce', 'expand', 'depthwise_out')
model = dict(backbone=dict(block_cfg=dict(type='ActivationSandglassBlock', act_after=act_after)))
