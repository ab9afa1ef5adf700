"""SSDLite320 on MobileNeXt, trained on VOC2007 trainval from scratch: the recipe that the other configs start from.

    python tools/train.py configs/ssdlite_mobilenext_voc_scratch.py

The recipe is the MobileNeXt authors' (one GPU), with as many epochs over VOC2007 (345) as they ran over VOC07+12;
ssdlite_mobilenext_voc.py starts it from ImageNet weights, as they did.
"""

_base_ = ['_base_/models/ssdlite_mobilenext.py', '_base_/default_runtime.py']

# What a person changes; everything below derives from it. A config that inherits this one overrides what stands below.
data_root = '{{$MOBILENEXT_DATA_ROOT:data/VOCdevkit}}'  # or --data-root; the folder that holds VOC2007/
classes = (
    'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow', 'diningtable', 'dog',
    'horse', 'motorbike', 'person', 'pottedplant', 'sheep', 'sofa', 'train', 'tvmonitor',
)  # fmt: skip
input_size = 320  # or (width, height)
batch_size = 24  # a GPU
max_iters = 72000  # 345 epochs of 5011 images
learning_rate = 1e-3  # for 24 images a step; --auto-scale-lr adapts it
warmup_iters = 500
warmup_factor = 1 / 3
val_interval = 4000
num_workers = 2

model = dict(bbox_head=dict(num_classes=len(classes), anchor_generator=dict(input_size=input_size)))

# The recipe's order; every transform works on BGR images, the data preprocessor makes RGB of them.
size = (input_size, input_size) if isinstance(input_size, int) else input_size
resize = dict(type='Resize', scale=size, keep_ratio=False)
train_pipeline = [
    dict(type='SeedBySample'),
    dict(type='CheckedLoadImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='SSDPhotoMetricDistortion'),
    dict(type='SSDExpand', mean=(123, 117, 104), to_rgb=True, ratio_range=(1, 4), prob=0.5),
    dict(type='SSDRandomCrop'),
    resize,  # before the mirror, which commutes with it and gives a view that would have to be copied
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    resize,
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]

voc2007 = dict(
    type='CheckedVOCDataset',
    data_root=data_root,
    data_prefix=dict(sub_data_root='VOC2007/'),
    metainfo=dict(classes=classes),
)
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    collate_fn=dict(type='packed_collate', stack=True),  # all images have one size: stacked where they are made
    sampler=dict(type='ResumableSampler'),
    dataset=dict(
        ann_file='VOC2007/ImageSets/Main/trainval.txt',
        pipeline=train_pipeline,
        filter_cfg=dict(filter_empty_gt=True),
        **voc2007,
    ),
)
val_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='packed_collate', stack=False),
    dataset=dict(ann_file='VOC2007/ImageSets/Main/test.txt', test_mode=True, pipeline=test_pipeline, **voc2007),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='VOCAveragePrecision', classwise=False)
test_evaluator = val_evaluator

train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=max_iters, val_interval=val_interval)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

# Weight decay acts on every parameter, batch norm and biases too, as in the authors' runs.
# The wrapper chooses bfloat16 where that is fast; type='OptimWrapper' trains in float32.
optim_wrapper = dict(
    type='AutocastOptimWrapper', optimizer=dict(type='SGD', lr=learning_rate, momentum=0.9, weight_decay=5e-4)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=warmup_factor, by_epoch=False, end=warmup_iters),
    dict(type='MultiStepLR', by_epoch=False, milestones=[max_iters * 2 // 3, max_iters * 5 // 6], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=24)
