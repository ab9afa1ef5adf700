"""The search of PC-DARTS with the sandglass block; all else as darts_partial_cifar10.py. Not measured."""

_base_ = './darts_partial_cifar10.py'

model = dict(space='sandglass')
