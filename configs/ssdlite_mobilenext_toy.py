"""The demo: the main config at width 0.35 and 192 pixels on synthetic scenes, sized for minutes on two CPU cores.

python tools/data/make_toy_voc.py --out data/toy
python tools/train.py configs/ssdlite_mobilenext_toy.py
"""

_base_ = './ssdlite_mobilenext_w035_voc.py'

data_root = '{{$MOBILENEXT_DATA_ROOT:data/toy}}'
input_size = 192
batch_size = 16
max_iters = 2000
# From scratch and in a hurry: a high rate for as long as there is much to learn, then down to nothing.
learning_rate = 0.05
warmup_iters = 100
val_interval = 2000

size = (input_size, input_size) if isinstance(input_size, int) else input_size
resize = dict(type='Resize', scale=size, keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
test_pipeline = [resize if t.type == 'Resize' else t for t in _base_.test_pipeline]
train_dataloader = dict(batch_size=batch_size, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(batch_size=batch_size, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader
model = dict(backbone=dict(zero_init_residual=True), bbox_head=dict(anchor_generator=dict(input_size=input_size)))

train_cfg = dict(max_iters=max_iters, val_interval=val_interval)
decay = max_iters * 3 // 4
optim_wrapper = dict(optimizer=dict(lr=learning_rate))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup_iters),
    dict(type='LinearLR', start_factor=1, end_factor=0, by_epoch=False, begin=decay, end=max_iters),
]
