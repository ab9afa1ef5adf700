"""The search of DARTS on CIFAR-10, first order, at the published settings (1806.09055, section 3.1.1). Not measured.

    python tools/search.py configs/search/darts_cifar10.py --out work_dirs/darts_cifar10

A GPU's work: published, a day and a half of one. One step of the architecture, on one half of the training images,
comes before each of the weights, on the other half.
"""

_base_ = '../_base_/default_runtime.py'

# What a person changes; everything below derives from it. A config that inherits this one overrides what stands below.
data_root = '{{$MOBILENEXT_DATA_ROOT:data/cifar10}}'  # or --data-root
batch_size = 64  # of each half
epoch = 390  # iterations: 25000 images of each half
epochs = 50
num_workers = 4

derived = dict(channels=36, cells=20, image_size=32)  # the network whose cost is told, retrain_cifar10.py's

model = dict(
    type='Supernet',
    space='darts',
    channels=16,
    cells=8,
    num_classes=10,
    data_preprocessor=dict(
        type='ImgDataPreprocessor', mean=[125.3, 123, 113.9], std=[63, 62.1, 66.7], non_blocking=True
    ),
)

crop = dict(type='RandomCrop', size=32, padding=4)
flip = dict(type='RandomHorizontalFlip')
train_pipeline = [
    dict(type='SeedBySample'),
    dict(type='CheckedLoadImage'),
    dict(type='PackImage', transforms=[crop, flip]),
]
train_dataloader = dict(
    batch_size=2 * batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    sampler=dict(type='HalvesSampler'),
    dataset=dict(type='ImageFolder', data_root=data_root, data_prefix=dict(img_path='train'), pipeline=train_pipeline),
    collate_fn=dict(type='default_collate'),
)

train_cfg = dict(type='ResumableIterBasedTrainLoop', max_iters=epochs * epoch)
default_hooks = dict(checkpoint=dict(interval=epoch, save_best=None))
custom_hooks = [dict(type='GenotypeHook', interval=epoch)]

optim_wrapper = dict(
    constructor='BilevelOptimWrapperConstructor',
    weights=dict(
        type='AutocastOptimWrapper',
        optimizer=dict(type='SGD', lr=0.025, momentum=0.9, weight_decay=3e-4),
        clip_grad=dict(max_norm=5),
    ),
    architecture=dict(
        type='AutocastOptimWrapper', optimizer=dict(type='Adam', lr=3e-4, betas=(0.5, 0.999), weight_decay=1e-3)
    ),
)
param_scheduler = dict(weights=[dict(type='CosineAnnealingLR', by_epoch=False, eta_min=0.001)], architecture=[])
