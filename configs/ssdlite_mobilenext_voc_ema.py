"""The main config with an exponential moving average of the weights, which is what is validated and kept."""

_base_ = './ssdlite_mobilenext_voc.py'

custom_hooks = [
    dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0002, update_buffers=True, priority=49),
]
