"""What a search found as a network on CIFAR-10, at DARTS's published settings (1806.09055, appendix A.4). Not measured.

    python tools/train.py configs/search/retrain_cifar10.py --cfg-options genotype=work_dirs/darts_cifar10/genotype.json

20 cells of 36 channels, an auxiliary head, drop path and cutout. Without a genotype it is DARTS_V2, the published one.
"""

_base_ = './darts_cifar10.py'

# What a person changes; everything below derives from it. A config that inherits this one overrides what stands below.
genotype = '{{ fileDirname }}/genotypes/darts_v2.json'
batch_size = 96
epoch = 521  # iterations: 50000 images
epochs = 600

model = dict(
    _delete_=True,
    type='SearchedClassifier',
    auxiliary_weight=0.4,
    backbone=dict(type='SearchedNetwork', genotype=genotype, channels=36, cells=20),
    num_classes=10,
    dropout=0,
    init_cfg=None,
    data_preprocessor=_base_.model.data_preprocessor,
)

# Cutout: a square of 16 pixels, grey as the mean, whose centre is anywhere in the image.
cutout = [
    dict(type='Pad', padding=8),
    dict(type='RandomErasing', p=1, scale=(1 / 9, 1 / 9), ratio=(1, 1), value=[125, 123, 114]),
    dict(type='CenterCrop', size=32),
]
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='PackImage', transforms=[_base_.crop, _base_.flip, *cutout]),
]
train_dataloader = dict(
    batch_size=batch_size, sampler=dict(type='ResumableSampler'), dataset=dict(pipeline=train_pipeline)
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=_base_.num_workers,
    persistent_workers=_base_.num_workers > 0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageFolder',
        data_root=_base_.data_root,
        data_prefix=dict(img_path='test'),
        test_mode=True,
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackImage')],
    ),
    collate_fn=dict(type='default_collate'),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='TopKAccuracy')
test_evaluator = val_evaluator

train_cfg = dict(max_iters=epochs * epoch, val_interval=epoch)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(checkpoint=dict(interval=epoch, save_best='accuracy/top1'))
custom_hooks = [dict(type='SeedIterationHook'), dict(type='DropPathHook', last=0.2)]

optim_wrapper = dict(
    _delete_=True,
    type='AutocastOptimWrapper',
    optimizer=dict(type='SGD', lr=0.025, momentum=0.9, weight_decay=3e-4),
    clip_grad=dict(max_norm=5),
)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=False)]  # to the end of the training
