"""The comparison on VOC2007: ten epochs at width 1.0 and 192 pixels, from the same teacher. This one is MobileNeXt."""

_base_ = '../finetune/ssdlite_mobilenext_voc_10e.py'

input_size = 192

size = (input_size, input_size) if isinstance(input_size, int) else input_size
resize = dict(type='Resize', scale=size, keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
test_pipeline = [resize if t.type == 'Resize' else t for t in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(bbox_head=dict(anchor_generator=dict(input_size=input_size)))
# Nothing is chosen on test: it is looked at once, at the end.
train_cfg = dict(val_interval=_base_.max_iters)
backbone_rate = 0.25  # share of the head's rate: the weights are those of minutes of teaching
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=backbone_rate))))
