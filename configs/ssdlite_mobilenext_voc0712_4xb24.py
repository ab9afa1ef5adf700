"""The published run: four GPUs, 24 images each, 60k iterations, batch norm over each GPU's 24 images.

    bash tools/dist_train.sh configs/ssdlite_mobilenext_voc0712_4xb24.py 4

Published with ImageNet weights: 72.6 (MobileNetV2, C4 = 96 channels: 71.7). Not measured here.
"""

_base_ = './ssdlite_mobilenext_voc0712.py'

max_iters = 60000
learning_rate = 4e-3  # for 96 images a step
warmup_iters = 1000
val_interval = 5000
train_cfg = dict(max_iters=max_iters, val_interval=val_interval)
optim_wrapper = dict(optimizer=dict(lr=learning_rate))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1333, by_epoch=False, end=warmup_iters),
    dict(type='MultiStepLR', by_epoch=False, milestones=[max_iters * 2 // 3, max_iters * 5 // 6], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=96)
