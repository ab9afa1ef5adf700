"""The demo: the VOC2007 detector of width 0.5, trained on synthetic scenes for minutes on two CPU cores.

    python tools/data/make_toy_voc.py --out data/toy
    python tools/train.py configs/finetune/ssdlite_mobilenext_w050_toy.py

The scenes have VOC's classes, so that the detector fits with its head.
"""

_base_ = './ssdlite_mobilenext_voc_10e.py'

data_root = '{{$MOBILENEXT_DATA_ROOT:data/toy}}'
pretrained = '{{ fileDirname }}/../../checkpoints/ssdlite_mobilenext_w050_voc_30e-714417ac.pth'
input_size = 192
batch_size = 24
max_iters = 400
val_interval = max_iters
backbone_rate = 1.0  # drawn emblems are no photographs: the backbone has as much to learn

model = dict(
    init_cfg=dict(type='PretrainedDetector', checkpoint=pretrained, classes=_base_.classes),
    backbone=dict(widen_factor=0.5, init_cfg=None),
    bbox_head=dict(anchor_generator=dict(input_size=input_size)),
)
size = (input_size, input_size) if isinstance(input_size, int) else input_size
resize = dict(type='Resize', scale=size, keep_ratio=False)
train_pipeline = [
    resize if step.type == 'Resize' else step for step in _base_.train_pipeline if step.type != 'SSDRandomCrop'
]
test_pipeline = [resize if step.type == 'Resize' else step for step in _base_.test_pipeline]
train_dataloader = dict(batch_size=batch_size, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(batch_size=batch_size, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(max_iters=max_iters, val_interval=val_interval)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=backbone_rate))))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=_base_.warmup_iters),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=_base_.warmup_iters, end=max_iters),
]
