"""A light detector for images of one's own: what the configs inherit that tools/prepare.py writes.

    python tools/prepare.py FOLDER --out mine
    python tools/train.py mine/mine.py

Width 0.5 from the repository's VOC2007 detector; matching, box loss and schedule are those of the modern recipe, for
minutes instead of days. docs/own_data.md says what each line is worth.
"""

_base_ = '../ssdlite_mobilenext_w050_voc.py'

data_root = 'data/mine'  # the images
labels = 'mine'  # train.json, val.json and, where there is one, test.json
judged = 'val'  # the part that tools/test.py looks at
classes = ('object',)
input_size = 320
batch_size = 24
max_iters = 1000
warmup_iters = 50
val_interval = 100
learning_rate = 2e-3  # for a batch of 24
backbone_rate = 1.0  # share of it; 0.25 where pretrained is a backbone, whose head has nothing to go on at first
crops = False  # train on cropped views, too: for objects that come in different sizes
pretrained = '{{ fileDirname }}/../../checkpoints/ssdlite_mobilenext_w050_voc_30e-714417ac.pth'
strides = (16, 32, 64, 107, 160, 320)
min_sizes = (45, 90, 135, 180, 225, 270)
max_sizes = (120, 180, 220, 260, 300, 320)
ratios = ((2, 3),) * 6

model = dict(
    init_cfg=dict(type='PretrainedDetector', checkpoint=pretrained, classes=classes),
    backbone=dict(norm_eval=True),  # batch norm with the statistics of pretraining, which training folds into weights
    bbox_head=dict(
        num_classes=len(classes),
        anchor_generator=dict(
            input_size=input_size, strides=strides, min_sizes=min_sizes, max_sizes=max_sizes, ratios=ratios
        ),
        loss_bbox=dict(type='CIoULoss', loss_weight=5.0),
    ),
    train_cfg=dict(assigner=dict(_delete_=True, type='BatchATSSAssigner', topk=12)),
)

# Without SSD's enlarged views, which are for hundreds of epochs, and with YOLOX's colours in the place of SSD's, which
# swaps the channels of every second image: what is known by its colour, as a stained cell, would not be learnt by it.
left_out = ('SSDExpand',) if crops else ('SSDExpand', 'SSDRandomCrop')
colours = dict(type='YOLOXHSVRandomAug')
train_pipeline = [
    colours if step.type == 'SSDPhotoMetricDistortion' else step
    for step in _base_.train_pipeline
    if step.type not in left_out
]
own = dict(
    _delete_=True,
    type='CheckedCocoDataset',
    data_root=data_root,
    data_prefix=dict(img=''),
    metainfo=dict(classes=classes),
)
train_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(
        ann_file=f'{labels}/train.json',
        pipeline=train_pipeline,
        filter_cfg=dict(filter_empty_gt=False),  # images of the background teach what is none of the classes
        **own,
    ),
)
val_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(ann_file=f'{labels}/val.json', test_mode=True, pipeline=_base_.test_pipeline, **own),
)
test_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(ann_file=f'{labels}/{judged}.json', test_mode=True, pipeline=_base_.test_pipeline, **own),
)
val_evaluator = dict(inclusive=False, coco=True)
test_evaluator = val_evaluator

train_cfg = dict(max_iters=max_iters, val_interval=val_interval)
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=learning_rate, weight_decay=0.01),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=backbone_rate))),
    clip_grad=dict(max_norm=20),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup_iters),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=warmup_iters, end=max_iters),
]
# Over IoU 0.5 to 0.95: of few images mAP at 0.5 is noisy, and does not tell exact boxes from rough ones.
default_hooks = dict(checkpoint=dict(interval=val_interval, save_best='voc/coco_AP'))
custom_hooks = [dict(type='FinalReportHook')]
