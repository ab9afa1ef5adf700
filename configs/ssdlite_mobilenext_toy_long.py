"""The demo's network trained for about an hour on two CPU cores; docs/results.md has what it reaches.

python tools/data/make_toy_voc.py --out data/toy
python tools/train.py configs/ssdlite_mobilenext_toy_long.py
"""

_base_ = './ssdlite_mobilenext_toy.py'

max_iters = 12000
warmup_iters = 100
val_interval = 1500

train_cfg = dict(max_iters=max_iters, val_interval=val_interval)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup_iters),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=warmup_iters, end=max_iters, T_max=max_iters - warmup_iters),
]
