"""The recipe of ssdlite_mobilenext_voc0712_modern.py on the network of ssdlite_mobilenetv2_expansion_voc.py.

3509508 parameters, 714703872 multiply-adds at 320 pixels. Not measured here on VOC.
"""

_base_ = './ssdlite_mobilenext_voc0712_modern.py'

pretrained = 'data/pretrained/mobilenetv2.pth'
model = dict(
    backbone=dict(
        _delete_=True,
        type='TappedMobileNetV2',
        tap='expansion',
        conv_cfg=_base_.conv_cfg,
        init_cfg=dict(type='PretrainedIfThere', checkpoint=pretrained, prefix='backbone.'),
    ),
    neck=dict(in_channels=(576, 1280), block='inverted_residual'),
    bbox_head=dict(in_channels=(576, 1280, 512, 256, 256, 64)),
)
