"""Pretraining that two CPU cores do in minutes: width 0.5 on Tiny ImageNet, four epochs. This one is MobileNeXt.

python tools/train.py configs/pretrain/mobilenext_w050_tiny_imagenet.py
"""

_base_ = './mobilenext_tiny_imagenet.py'

batch_size = 128
epoch = 781  # iterations: 100000 images
epochs = 4

# Little augmentation, for there is no time for more.
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackImage', transforms=[_base_.crop, _base_.flip])]
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(batch_size=batch_size)
model = dict(backbone=dict(widen_factor=0.5, zero_init_residual=True))

train_cfg = dict(max_iters=epochs * epoch, val_interval=epoch)
default_hooks = dict(checkpoint=dict(interval=epoch))
warmup = epoch // 2
param_scheduler = [dict(_base_.param_scheduler[0], end=warmup), dict(_base_.param_scheduler[1], begin=warmup)]
