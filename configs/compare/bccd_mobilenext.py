"""The comparison on blood cells: the BCCD recipe at width 0.5 and 192 pixels. This one is MobileNeXt.

1765032 parameters, 85858048 multiply-adds at 192 pixels.
"""

_base_ = '../ssdlite_mobilenext_bccd.py'

input_size = 192

size = (input_size, input_size) if isinstance(input_size, int) else input_size
resize = dict(type='Resize', scale=size, keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
test_pipeline = [resize if t.type == 'Resize' else t for t in _base_.test_pipeline]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(backbone=dict(widen_factor=0.5), bbox_head=dict(anchor_generator=dict(input_size=input_size)))
