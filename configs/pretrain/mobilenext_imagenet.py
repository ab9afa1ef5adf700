"""MobileNeXt as an ImageNet classifier by the article's recipe: what the other pretraining configs start from.

    python tools/train.py configs/pretrain/mobilenext_imagenet.py
    bash tools/dist_train.sh configs/pretrain/mobilenext_imagenet.py 8 --cfg-options train_dataloader.batch_size=32
    python tools/test.py configs/pretrain/mobilenext_imagenet.py work_dirs/mobilenext_imagenet/iter_1000800.pth

data/imagenet holds train/CLASS/*.JPEG and val/CLASS/*.JPEG. Published for this network: 74.02 top-1, without the recipe
(not measured here).
"""

_base_ = ['../_base_/models/mobilenext_classifier.py', '../_base_/default_runtime.py']

# What a person changes; everything below derives from it. A config that inherits this one overrides what stands below.
data_root = '{{$MOBILENEXT_DATA_ROOT:data/imagenet}}'  # or --data-root
input_size = 224
batch_size = 256  # in all: divide it by the number of GPUs
epoch = 5004  # iterations: 1281167 images
epochs = 200
learning_rate = 0.05  # for 256 images a step; --auto-scale-lr adapts it
num_workers = 8

train_pipeline = [
    dict(type='SeedBySample'),
    dict(type='CheckedLoadImage'),
    dict(
        type='PackImage',
        transforms=[dict(type='RandomResizedCrop', size=input_size), dict(type='RandomHorizontalFlip')],
    ),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(
        type='PackImage',
        transforms=[dict(type='Resize', size=input_size * 8 // 7), dict(type='CenterCrop', size=input_size)],
    ),
]
loader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    collate_fn=dict(type='default_collate'),
)
train_dataloader = dict(
    sampler=dict(type='ResumableSampler'),
    dataset=dict(type='ImageFolder', data_root=data_root, data_prefix=dict(img_path='train'), pipeline=train_pipeline),
    **loader,
)
val_dataloader = dict(
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ImageFolder',
        data_root=data_root,
        data_prefix=dict(img_path='val'),
        test_mode=True,
        pipeline=test_pipeline,
    ),
    **loader,
)
test_dataloader = val_dataloader
val_evaluator = dict(type='TopKAccuracy')
test_evaluator = val_evaluator

train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=epochs * epoch, val_interval=epoch)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(checkpoint=dict(interval=epoch, save_best='accuracy/top1'))
custom_hooks = [dict(type='SeedIterationHook')]

optim_wrapper = dict(
    type='AutocastOptimWrapper', optimizer=dict(type='SGD', lr=learning_rate, momentum=0.9, weight_decay=4e-5)
)
param_scheduler = [dict(type='CosineAnnealingLR', by_epoch=False)]  # to the end of the training
auto_scale_lr = dict(base_batch_size=256)
