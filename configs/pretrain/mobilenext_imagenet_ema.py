"""The released run's recipe with a moving average of the weights, which is what is judged and kept."""

_base_ = './mobilenext_imagenet_released.py'

custom_hooks = [
    *_base_.custom_hooks,
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0002, update_buffers=True, priority=49),
]
