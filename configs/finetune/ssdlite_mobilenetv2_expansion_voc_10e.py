"""MobileNetV2, tapped at the expansion, by the recipe of ssdlite_mobilenext_voc_10e.py."""

_base_ = ['./ssdlite_mobilenext_voc_10e.py', '../_base_/models/ssdlite_mobilenetv2.py']

pretrained = '{{ fileDirname }}/../../checkpoints/mobilenetv2_distilled-bfe417cf.pth'
model = dict(
    _base_.mobilenetv2,
    backbone=dict(
        _base_.mobilenetv2.backbone,
        tap='expansion',
        init_cfg=dict(type='PretrainedIfThere', checkpoint=pretrained, prefix='backbone.'),
    ),
)
