"""MobileNeXt on CIFAR-10 as image files: 50000 images of 32 x 32 pixels, train/CLASS/*.jpg and test/CLASS/*.jpg.

    python tools/train.py configs/pretrain/mobilenext_cifar10.py

Not measured.
"""

_base_ = './mobilenext_tiny_imagenet.py'

data_root = '{{$MOBILENEXT_DATA_ROOT:data/cifar10}}'
epoch = 195  # iterations: 50000 images
epochs = 200

# CIFAR's usual augmentation; its test images have the network's size, too.
crop = dict(type='RandomCrop', size=32, padding=4)
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackImage', transforms=[crop, _base_.flip])]
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, ann_file='', data_prefix=dict(img_path='test')))
test_dataloader = val_dataloader
model = dict(num_classes=10, backbone=dict(total_stride=8))

train_cfg = dict(max_iters=epochs * epoch, val_interval=epoch)
default_hooks = dict(checkpoint=dict(interval=epoch))
warmup = 3 * epoch
param_scheduler = [dict(_base_.param_scheduler[0], end=warmup), dict(_base_.param_scheduler[1], begin=warmup)]
