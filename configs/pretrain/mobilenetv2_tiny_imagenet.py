"""MobileNetV2 on Tiny ImageNet by the recipe of mobilenext_tiny_imagenet.py. Not measured."""

_base_ = './mobilenext_tiny_imagenet.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TappedMobileNetV2',
        total_stride=_base_.model.backbone.total_stride,
        conv_cfg=_base_.conv_cfg,
    )
)
