"""Three of the four students taught further: both networks at width 1.0, and MobileNeXt at 0.5.

    python tools/train.py configs/distill/four_students.py
    python tools/train.py configs/distill/three_students_longer.py
    python tools/publish.py work_dirs/three_students_longer/iter_5985.pth checkpoints/mobilenext_distilled.pth \
        --backbone students.mobilenext.backbone.

Teacher, images and recipe are those of four_students.py; the rate rises and falls once more.
"""

_base_ = './four_students.py'

num_workers = 14
max_iters = 5985
begin = 'work_dirs/four_students/iter_2618.pth'
warmup = 200
students = {
    name: dict(
        backbone=dict(
            _base_.model.students[name].backbone,
            init_cfg=dict(type='Pretrained', checkpoint=begin, prefix=f'students.{name}.backbone.'),
        )
    )
    for name in ('mobilenext', 'mobilenetv2', 'mobilenext_w050')
}
model = dict(students=dict(_delete_=True, **students))
train_dataloader = dict(num_workers=num_workers, persistent_workers=num_workers > 0)
train_cfg = dict(max_iters=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=warmup),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=warmup, end=max_iters),
]
