import copy

import pytest
import torch
from torch import nn

from mobilenext_det.deploy.trim import trim_kernels


@pytest.mark.parametrize('size', [(1, 1), (1, 2), (2, 2), (2, 1), (3, 3), (1, 7), (9, 12)])
@pytest.mark.parametrize('stride', [1, 2])
def test_outputs_stay_what_they_are(size, stride):
    torch.manual_seed(0)
    before = nn.Conv2d(4, 4, 3, stride, padding=1, groups=4)
    after, images = nn.Sequential(copy.deepcopy(before)), torch.randn(2, 4, *size)
    trim_kernels(after, images)
    torch.testing.assert_close(after(images), before(images))


def test_what_only_sees_padding_is_cut(network):
    """The last two of the extra levels, and the predictors of the last one but one, which has one cell, too."""
    shapes = {
        name: tuple(module.weight.shape[2:])
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.kernel_size != (3, 3)
    }
    assert shapes == {
        'neck.extra_levels.2.0.0': (2, 2),
        'neck.extra_levels.3.0.0': (1, 1),
        'head.cls_convs.4.0.0': (1, 1),
        'head.reg_convs.4.0.0': (1, 1),
    }
