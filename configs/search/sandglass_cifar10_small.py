"""The small search with the sandglass block; all else as darts_cifar10_small.py."""

_base_ = './darts_cifar10_small.py'

model = dict(space='sandglass')
