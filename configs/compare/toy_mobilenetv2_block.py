"""The recipe of toy_mobilenext.py on MobileNetV2, with C4 from the 48-channel stage output (published way).

1881444 parameters, 94978176 multiply-adds at 192 pixels.
"""

_base_ = './toy_mobilenext.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='TappedMobileNetV2',
        tap='block',
        widen_factor=_base_.model.backbone.widen_factor,
        zero_init_residual=_base_.model.backbone.zero_init_residual,
        conv_cfg=_base_.conv_cfg,
    ),
    neck=dict(in_channels=(48, 1280), block='inverted_residual'),
    bbox_head=dict(in_channels=(48, 1280, 512, 256, 256, 64)),
)
