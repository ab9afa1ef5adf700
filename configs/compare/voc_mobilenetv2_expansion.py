"""The recipe of voc_mobilenext.py on MobileNetV2, with C4 from the expansion.

3509508 parameters, 257366400 multiply-adds at 192 pixels.
"""

_base_ = ['./voc_mobilenext.py', '../_base_/models/ssdlite_mobilenetv2.py']

pretrained = '{{ fileDirname }}/../../checkpoints/mobilenetv2_distilled-7fcb715b.pth'
model = dict(
    _base_.mobilenetv2,
    backbone=dict(
        _base_.mobilenetv2.backbone,
        tap='expansion',
        init_cfg=dict(type='PretrainedIfThere', checkpoint=pretrained, prefix='backbone.'),
    ),
)
