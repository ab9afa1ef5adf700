"""What every run shares: the package, the log, checkpoints, the seed. Nothing here is about a network or a data set."""

custom_imports = dict(imports=['mobilenext_det'])
default_scope = 'mmdet'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='SafeCheckpointHook',
        by_epoch=False,
        interval=1000,
        max_keep_ckpts=3,
        save_best='voc/mAP_11points',
        rule='greater',
    ),
    settings=dict(type='SettingsHook'),
    resume=dict(type='ResumeHook'),
    finite=dict(type='FiniteHook'),
    tta=dict(type='TTAHook'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='DetVisualizationHook'),
    checkpoint_fit=dict(type='CheckpointFitHook'),
    class_lists=dict(type='ClassListHook'),
    acceleration=dict(type='AccelerationHook'),  # enabled=False trains as stock MMDetection does
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)

vis_backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
visualizer = dict(type='DetLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)

randomness = dict(seed=0)
log_level = 'INFO'
load_from = None
resume = False
