"""ssdlite_mobilenetv2_expansion_voc_30e.py from ImageNet weights, which could be had for MobileNetV2 alone.

tools/convert_weights.py makes the file of torchvision's, or of another's.
"""

_base_ = './ssdlite_mobilenetv2_expansion_voc_30e.py'

pretrained = 'data/pretrained/mobilenetv2_imagenet.pth'
model = dict(backbone=dict(init_cfg=dict(checkpoint=pretrained)))
