"""The main config with an exponential moving average of the weights, which is what is validated and kept."""

_base_ = ['./ssdlite_mobilenext_voc.py', './_base_/moving_average.py']

custom_hooks = [_base_.moving_average]
