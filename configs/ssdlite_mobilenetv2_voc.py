"""The published baseline: MobileNetV2 with C4 taken from the 96-channel stage output, same recipe.

3425988 parameters, 682447872 multiply-adds at 320 pixels. Published with VOC07+12 and ImageNet weights: 71.7.
"""

_base_ = ['./ssdlite_mobilenext_voc.py', './_base_/models/ssdlite_mobilenetv2.py']

pretrained = 'data/pretrained/mobilenetv2.pth'
model = dict(
    _base_.mobilenetv2,
    backbone=dict(
        _base_.mobilenetv2.backbone,
        init_cfg=dict(type='PretrainedIfThere', checkpoint=pretrained, prefix='backbone.'),
    ),
)
