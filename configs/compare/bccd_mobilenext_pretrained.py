"""The comparison's MobileNeXt on blood cells, from weights that pretrain/mobilenext_w050_tiny_imagenet.py made.

1765032 parameters, 85858048 multiply-adds at 192 pixels.
"""

_base_ = './bccd_mobilenext.py'

checkpoint = '{{ fileDirname }}/../../checkpoints/mobilenext_w050_tiny_imagenet-b3d11423.pth'
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone.')))
