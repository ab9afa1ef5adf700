"""The comparison's MobileNetV2 on blood cells, from weights that pretrain/mobilenetv2_w050_tiny_imagenet.py made.

1651680 parameters, 91246848 multiply-adds at 192 pixels.
"""

_base_ = './bccd_mobilenetv2_expansion.py'

checkpoint = '{{ fileDirname }}/../../checkpoints/mobilenetv2_w050_tiny_imagenet-9e48ae10.pth'
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint=checkpoint, prefix='backbone.')))
