# MobileNetV2 in the place of MobileNeXt: a config lists this file beside the one that has its recipe, and says
# `model = _base_.mobilenetv2`. The rest of SSDLite is ssdlite_mobilenext.py's; a classifier takes the backbone alone.

mobilenetv2 = dict(
    backbone=dict(_delete_=True, type='TappedMobileNetV2', tap='block', conv_cfg=dict(type='AutocastConv2d')),
    neck=dict(block='inverted_residual'),
)
