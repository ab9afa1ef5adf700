"""VOC2007 at full size in forty epochs from pretrained weights: long enough for all of SSD's augmentation.

    python tools/train.py configs/finetune/ssdlite_mobilenext_voc_40e.py

Otherwise the recipe of ssdlite_mobilenext_voc_10e.py.
"""

_base_ = './ssdlite_mobilenext_voc_10e.py'

batch_size = 32
max_iters = 6264  # forty epochs of 5011 images
warmup_iters = 100
backbone_rate = 0.25  # share of the head's rate

expand = dict(type='SSDExpand', mean=(123, 117, 104), to_rgb=True, ratio_range=(1, 4), prob=0.5)
before = [step.type for step in _base_.train_pipeline].index('SSDRandomCrop')
train_pipeline = [*_base_.train_pipeline[:before], expand, *_base_.train_pipeline[before:]]
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=batch_size)
test_dataloader = val_dataloader
# Nothing is chosen on test: it is looked at once, at the end.
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=backbone_rate))))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup_iters),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=warmup_iters, end=max_iters),
]
