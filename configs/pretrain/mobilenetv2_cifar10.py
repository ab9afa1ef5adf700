"""MobileNetV2 on CIFAR-10 by the recipe of mobilenext_cifar10.py. Not measured."""

_base_ = './mobilenext_cifar10.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TappedMobileNetV2',
        total_stride=_base_.model.backbone.total_stride,
        conv_cfg=_base_.conv_cfg,
    )
)
