"""The recipe of mobilenext_w050_tiny_imagenet.py on MobileNetV2; the backbone of both of its taps."""

_base_ = ['./mobilenext_w050_tiny_imagenet.py', '../_base_/models/ssdlite_mobilenetv2.py']

model = dict(
    backbone=dict(
        _base_.mobilenetv2.backbone,
        widen_factor=_base_.model.backbone.widen_factor,
        total_stride=_base_.model.backbone.total_stride,
        zero_init_residual=_base_.model.backbone.zero_init_residual,
    )
)
