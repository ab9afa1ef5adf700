"""The recipe of ssdlite_mobilenext_voc0712_modern.py on the network of ssdlite_mobilenetv2_expansion_voc.py.

3509508 parameters, 714703872 multiply-adds at 320 pixels. Not measured here on VOC.
"""

_base_ = ['./ssdlite_mobilenext_voc0712_modern.py', './_base_/models/ssdlite_mobilenetv2.py']

pretrained = 'data/pretrained/mobilenetv2.pth'
model = dict(
    _base_.mobilenetv2,
    backbone=dict(
        _base_.mobilenetv2.backbone,
        tap='expansion',
        init_cfg=dict(type='PretrainedIfThere', checkpoint=pretrained, prefix='backbone.'),
    ),
)
