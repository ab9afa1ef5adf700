"""The search of PC-DARTS, one channel of four, at its published settings (1907.05737, section 4.2). Not measured.

Published: a tenth of a day of a GPU. Larger batches fit, and the architecture is held still for 15 epochs.
"""

_base_ = './darts_cifar10.py'

batch_size = 256
epoch = 97  # iterations: 25000 images of each half

model = dict(partial=4)
train_dataloader = dict(batch_size=2 * batch_size)
train_cfg = dict(max_iters=_base_.epochs * epoch)
default_hooks = dict(checkpoint=dict(interval=epoch))
custom_hooks = [dict(type='GenotypeHook', interval=epoch), dict(type='ArchitectureWarmupHook', end=15 * epoch)]
optim_wrapper = dict(weights=dict(optimizer=dict(lr=0.1)), architecture=dict(optimizer=dict(lr=6e-4)))
param_scheduler = dict(weights=[dict(type='CosineAnnealingLR', by_epoch=False)], architecture=[])
