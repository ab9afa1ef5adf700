"""The published baseline: MobileNetV2 with C4 taken from the 96-channel stage output, same recipe.

3425988 parameters, 682447872 multiply-adds at 320 pixels. Published with VOC07+12 and ImageNet weights: 71.7.
"""

_base_ = './ssdlite_mobilenext_voc.py'

pretrained = 'data/pretrained/mobilenetv2.pth'
model = dict(
    backbone=dict(
        _delete_=True,
        type='TappedMobileNetV2',
        tap='block',
        conv_cfg=_base_.conv_cfg,
        init_cfg=dict(type='PretrainedIfThere', checkpoint=pretrained, prefix='backbone.'),
    ),
    neck=dict(in_channels=(96, 1280), block='inverted_residual'),
    bbox_head=dict(in_channels=(96, 1280, 512, 256, 256, 64)),
)
