"""What a small search found, trained in ten minutes of a CPU core: 16 pixels, 5 cells, every fifth image.

Without auxiliary head, drop path and cutout, which are for long trainings. All test images count.
"""

_base_ = './retrain_cifar10.py'

# What a person changes; everything below derives from it. A config that inherits this one overrides what stands below.
genotype = '{{ fileDirname }}/genotypes/darts_v2.json'
batch_size = 64
epoch = 156  # iterations: 10000 images
epochs = 5
num_workers = 0
image_size = 16

model = dict(
    _delete_=True,
    type='ImageClassifier',
    backbone=dict(type='SearchedNetwork', genotype=genotype, channels=16, cells=5),
    num_classes=10,
    dropout=0,
    init_cfg=None,
    data_preprocessor=_base_.model.data_preprocessor,
)

resize = dict(type='Resize', size=image_size)
crop = dict(type='RandomCrop', size=image_size, padding=2)
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackImage', transforms=[resize, crop, _base_.flip])]
loader = dict(batch_size=batch_size, num_workers=num_workers, persistent_workers=False)
train_dataloader = dict(dataset=dict(every=5, pipeline=train_pipeline), **loader)
test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackImage', transforms=[resize])]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline), **loader)
test_dataloader = val_dataloader

train_cfg = dict(max_iters=epochs * epoch, val_interval=epochs * epoch)
default_hooks = dict(checkpoint=dict(interval=epoch, max_keep_ckpts=1, save_best=None))
custom_hooks = [dict(type='SeedIterationHook')]
optim_wrapper = dict(optimizer=dict(lr=0.05))
