"""The search of DARTS with the sandglass block as a ninth operation; all else as darts_cifar10.py. Not measured."""

_base_ = './darts_cifar10.py'

model = dict(space='sandglass')
