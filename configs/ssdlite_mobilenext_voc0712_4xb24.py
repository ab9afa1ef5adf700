"""The published run: four GPUs, 24 images each, 60k iterations, batch norm over each GPU's 24 images.

    bash tools/dist_train.sh configs/ssdlite_mobilenext_voc0712_4xb24.py 4

Published with ImageNet weights: 72.6 (MobileNetV2, C4 = 96 channels: 71.7). Not measured here.
"""

_base_ = './ssdlite_mobilenext_voc0712.py'

max_iters = 60000
train_cfg = dict(max_iters=max_iters, val_interval=5000)
optim_wrapper = dict(optimizer=dict(lr=4e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1333, by_epoch=False, end=1000),
    dict(type='MultiStepLR', by_epoch=False, milestones=[40000, 50000], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=96)
