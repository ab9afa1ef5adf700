"""The comparison on VOC2007: ten epochs at width 1.0 and 192 pixels, from the same teacher. This one is MobileNeXt.

3476308 parameters, 255248896 multiply-adds at 192 pixels.
"""

_base_ = '../finetune/ssdlite_mobilenext_voc_10e.py'

# What four_students.py taught; the weights of later configs learnt longer.
pretrained = '{{ fileDirname }}/../../checkpoints/mobilenext_distilled-a7f89f81.pth'

input_size = 192

size = (input_size, input_size) if isinstance(input_size, int) else input_size
resize = dict(type='Resize', scale=size, keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
test_pipeline = [resize if t.type == 'Resize' else t for t in _base_.test_pipeline]
model = dict(
    backbone=dict(init_cfg=dict(checkpoint=pretrained)),
    bbox_head=dict(anchor_generator=dict(input_size=input_size)),
)

# In steps that keep a GPU busy. Nothing is chosen on test: it is looked at once, at the end.
batch_size = 64
max_iters = 783  # ten epochs of 5011 images
learning_rate = 3e-3
backbone_rate = 0.25  # share of it
train_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(batch_size=batch_size, dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
optim_wrapper = dict(
    optimizer=dict(lr=learning_rate), paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=backbone_rate)))
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=_base_.warmup_iters),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=_base_.warmup_iters, end=max_iters),
]
