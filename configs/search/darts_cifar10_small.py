"""A search that a CPU core does in ten minutes: too small to say much of the networks.

    python tools/search.py configs/search/darts_cifar10_small.py --out work_dirs/darts_cifar10_small

Every tenth training image at 16 pixels, 5 cells of 16 channels, one channel of four. So few steps need a rate of the
architecture ten times that of PC-DARTS.
"""

_base_ = './darts_partial_cifar10.py'

batch_size = 32
epoch = 78  # iterations: 2500 images of each half
epochs = 3
num_workers = 0
image_size = 16

derived = dict(channels=16, cells=5, image_size=image_size)  # retrain_cifar10_small.py's

model = dict(cells=5)
resize = dict(type='Resize', size=image_size)
crop = dict(type='RandomCrop', size=image_size, padding=2)
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackImage', transforms=[resize, crop, _base_.flip])]
train_dataloader = dict(
    batch_size=2 * batch_size,
    num_workers=num_workers,
    persistent_workers=False,
    dataset=dict(every=10, pipeline=train_pipeline),
)
train_cfg = dict(max_iters=epochs * epoch)
default_hooks = dict(checkpoint=dict(interval=epoch, max_keep_ckpts=1), logger=dict(interval=26))
custom_hooks = [dict(type='GenotypeHook', interval=epoch), dict(type='ArchitectureWarmupHook', end=epoch)]
optim_wrapper = dict(weights=dict(optimizer=dict(lr=0.035)), architecture=dict(optimizer=dict(lr=6e-3)))
