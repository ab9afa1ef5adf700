"""The recipe of bccd_mobilenext.py on MobileNetV2, with C4 from the 48-channel stage output (published way).

1634400 parameters, 88965888 multiply-adds at 192 pixels.
"""

_base_ = ['./bccd_mobilenext.py', '../_base_/models/ssdlite_mobilenetv2.py']

model = dict(
    _base_.mobilenetv2,
    backbone=dict(
        _base_.mobilenetv2.backbone,
        widen_factor=_base_.model.backbone.widen_factor,
        zero_init_residual=_base_.model.backbone.zero_init_residual,
    ),
)
