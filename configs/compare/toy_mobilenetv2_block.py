"""The recipe of toy_mobilenext.py on MobileNetV2, with C4 from the 48-channel stage output (published way).

1881444 parameters, 94978176 multiply-adds at 192 pixels.
"""

_base_ = ['./toy_mobilenext.py', '../_base_/models/ssdlite_mobilenetv2.py']

model = dict(
    _base_.mobilenetv2,
    backbone=dict(
        _base_.mobilenetv2.backbone,
        widen_factor=_base_.model.backbone.widen_factor,
        zero_init_residual=_base_.model.backbone.zero_init_residual,
    ),
)
