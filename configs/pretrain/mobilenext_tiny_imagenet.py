"""MobileNeXt on Tiny ImageNet: 100000 images of 64 x 64 pixels, 200 classes.

    python tools/train.py configs/pretrain/mobilenext_tiny_imagenet.py

data/tiny-imagenet-200 is the archive as it comes: train/CLASS/images/*.JPEG, val/images/*.JPEG, val_annotations.txt.
Not measured: mobilenext_w050_tiny_imagenet.py is a short run that was.
"""

_base_ = './mobilenext_imagenet_released.py'

data_root = '{{$MOBILENEXT_DATA_ROOT:data/tiny-imagenet-200}}'
input_size = 64
batch_size = 256
epoch = 390  # iterations: 100000 images
epochs = 100
num_workers = 2

crop = dict(type='RandomResizedCrop', size=input_size, scale=(0.35, 1))
train_pipeline = [
    *_base_.train_pipeline[:-1],
    dict(type='PackImage', transforms=[crop, _base_.flip, _base_.jitter]),
]
test_pipeline = [_base_.test_pipeline[0], dict(type='PackImage')]  # images have the network's size
loader = dict(batch_size=batch_size, num_workers=num_workers, persistent_workers=num_workers > 0)
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=train_pipeline), **loader)
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        ann_file='val/val_annotations.txt',
        data_prefix=dict(img_path='val/images'),
        pipeline=test_pipeline,
    ),
    **loader,
)
test_dataloader = val_dataloader
model = dict(num_classes=200, backbone=dict(total_stride=16))

train_cfg = dict(max_iters=epochs * epoch, val_interval=epoch)
default_hooks = dict(checkpoint=dict(interval=epoch))
warmup = 3 * epoch
param_scheduler = [dict(_base_.param_scheduler[0], end=warmup), dict(_base_.param_scheduler[1], begin=warmup)]
