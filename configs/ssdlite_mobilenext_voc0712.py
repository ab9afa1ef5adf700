"""VOC2007 and VOC2012 trainval in, VOC2007 test out: the authors' one-GPU schedule (240k iterations, 348 epochs).

Published with ImageNet weights: 72.6 (four GPUs, see ssdlite_mobilenext_voc0712_4xb24.py). Not measured here.
"""

_base_ = './ssdlite_mobilenext_voc.py'

max_iters = 240000
val_interval = 10000
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            _base_.train_dataloader.dataset,
            dict(
                _base_.train_dataloader.dataset,
                ann_file='VOC2012/ImageSets/Main/trainval.txt',
                data_prefix=dict(sub_data_root='VOC2012/'),
            ),
        ],
    )
)
train_cfg = dict(max_iters=max_iters, val_interval=val_interval)
param_scheduler = [
    _base_.param_scheduler[0],
    dict(type='MultiStepLR', by_epoch=False, milestones=[max_iters * 2 // 3, max_iters * 5 // 6], gamma=0.1),
]
