"""The released run's recipe with a moving average of the weights, which is what is judged and kept."""

_base_ = ['./mobilenext_imagenet_released.py', '../_base_/moving_average.py']

custom_hooks = [*_base_.custom_hooks, _base_.moving_average]
