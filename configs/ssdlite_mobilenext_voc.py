"""SSDLite320 on MobileNeXt, trained on VOC2007 trainval and judged by 11-point mAP on VOC2007 test.

    python tools/convert_weights.py SOURCE data/pretrained/mobilenext.pth
    python tools/train.py configs/ssdlite_mobilenext_voc.py
    python tools/test.py configs/ssdlite_mobilenext_voc.py work_dirs/ssdlite_mobilenext_voc/iter_72000.pth

The recipe of ssdlite_mobilenext_voc_scratch.py, started from ImageNet weights if they are there (docs/weights.md says
where to get them), with a warning if not. The authors publish 72.6 for VOC07+12 with such weights; that was not run
here: docs/results.md says what was.
"""

_base_ = './ssdlite_mobilenext_voc_scratch.py'

pretrained = 'data/pretrained/mobilenext.pth'
model = dict(backbone=dict(init_cfg=dict(type='PretrainedIfThere', checkpoint=pretrained, prefix='backbone.')))
