# An exponential moving average of the weights, which is what is validated and kept: a hook for `custom_hooks`.

moving_average = dict(type='EMAHook', ema_type='ExpMomentumEMA', momentum=0.0002, update_buffers=True, priority=49)
