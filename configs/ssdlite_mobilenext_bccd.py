"""A VOC-style set with its own three classes: blood cells (BCCD, 364 images, MIT licence), trained from scratch.

    python tools/train.py configs/ssdlite_mobilenext_bccd.py --data-root data/bccd

The first block is all that another set needs; the schedule below it is for a small set without pretrained weights.
"""

_base_ = './ssdlite_mobilenext_voc_scratch.py'

classes = ('RBC', 'WBC', 'Platelets')
own = dict(data_prefix=dict(sub_data_root=''), metainfo=dict(classes=classes))
train_dataloader = dict(dataset=dict(ann_file='ImageSets/Main/trainval.txt', **own))
val_dataloader = dict(dataset=dict(ann_file='ImageSets/Main/test.txt', **own))
test_dataloader = val_dataloader
model = dict(backbone=dict(zero_init_residual=True), bbox_head=dict(num_classes=len(classes)))

max_iters = 500  # 41 epochs of 292 images
learning_rate = 0.05
warmup_iters = 50
val_interval = 250
train_cfg = dict(max_iters=max_iters, val_interval=val_interval)
optim_wrapper = dict(optimizer=dict(lr=learning_rate))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup_iters),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=warmup_iters, end=max_iters, T_max=max_iters - warmup_iters),
]
