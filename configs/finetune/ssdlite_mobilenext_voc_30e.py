"""VOC2007 at full size in thirty epochs from pretrained weights: long enough for all of SSD's augmentation.

    python tools/train.py configs/finetune/ssdlite_mobilenext_voc_30e.py

Otherwise the recipe of ssdlite_mobilenext_voc_10e.py.
"""

_base_ = './ssdlite_mobilenext_voc_10e.py'

batch_size = 64
max_iters = 2349  # thirty epochs of 5011 images
warmup_iters = 100
learning_rate = 3e-3
backbone_rate = 0.25  # share of the head's rate

expand = dict(type='SSDExpand', mean=(123, 117, 104), to_rgb=True, ratio_range=(1, 4), prob=0.5)
before = [step.type for step in _base_.train_pipeline].index('SSDRandomCrop')
train_pipeline = [*_base_.train_pipeline[:before], expand, *_base_.train_pipeline[before:]]
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=batch_size)
test_dataloader = val_dataloader
# Nothing is chosen on test: it is looked at once, at the end.
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(
    optimizer=dict(lr=learning_rate), paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=backbone_rate)))
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup_iters),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=warmup_iters, end=max_iters),
]
