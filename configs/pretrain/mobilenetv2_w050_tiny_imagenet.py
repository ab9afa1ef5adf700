"""The recipe of mobilenext_w050_tiny_imagenet.py on MobileNetV2; the backbone of both of its taps."""

_base_ = './mobilenext_w050_tiny_imagenet.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TappedMobileNetV2',
        widen_factor=_base_.model.backbone.widen_factor,
        total_stride=_base_.model.backbone.total_stride,
        zero_init_residual=_base_.model.backbone.zero_init_residual,
        conv_cfg=_base_.conv_cfg,
    )
)
