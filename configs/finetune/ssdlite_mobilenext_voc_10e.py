"""VOC2007 from pretrained weights in ten epochs, for minutes instead of the authors' 345 epochs.

    python tools/train.py configs/finetune/ssdlite_mobilenext_voc_10e.py --cfg-options input_size=192

Recipes are chosen on train -> val, and test is looked at once:
`--cfg-options train_list=train val_list=val max_iters=1563`. docs/results.md has what each line is worth.
"""

_base_ = '../ssdlite_mobilenext_voc.py'

pretrained = '{{ fileDirname }}/../../checkpoints/mobilenext_distilled-d0563287.pth'
train_list = 'trainval'
val_list = 'test'
batch_size = 16
max_iters = 3130  # ten epochs of 5011 images; of the 2501 of train, 1563
warmup_iters = 50
val_interval = 1000
# SGD at 0.02 for all, twenty times the authors' rate, destroys what a pretrained backbone knows in a few iterations.
learning_rate = 2e-3
backbone_rate = 0.05  # share of it

model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    bbox_head=dict(loss_bbox=dict(type='CIoULoss', loss_weight=5.0)),
    train_cfg=dict(assigner=dict(_delete_=True, type='BatchATSSAssigner', topk=12)),
)
# Expanding leaves objects of a few pixels at a small input, for which ten epochs are too few.
train_pipeline = [step for step in _base_.train_pipeline if step.type != 'SSDExpand']
train_dataloader = dict(
    batch_size=batch_size,
    dataset=dict(ann_file=f'VOC2007/ImageSets/Main/{train_list}.txt', pipeline=train_pipeline),
)
val_dataloader = dict(batch_size=batch_size, dataset=dict(ann_file=f'VOC2007/ImageSets/Main/{val_list}.txt'))
test_dataloader = val_dataloader
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
