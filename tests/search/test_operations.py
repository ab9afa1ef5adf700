"""Each operation is that of a second implementation, at both strides."""

import pytest
import torch

from mobilenext_det.errors import UsageError
from mobilenext_det.search.operations import SPACES, make_operation, operations_of
from tests.search.plain import plain_operation, randomise


@pytest.mark.parametrize('stride', [1, 2])
@pytest.mark.parametrize('name', SPACES['sandglass'])
@pytest.mark.parametrize('affine', [False, True])
def test_an_operation_is_that_of_a_second_implementation(name, stride, affine):
    operation = make_operation(name, 6, stride, affine).eval()
    randomise(operation)
    x = torch.randn(2, 6, 8, 8)
    expected = plain_operation(name, operation, x, stride)
    assert expected.shape == (2, 6, 8 // stride, 8 // stride)
    torch.testing.assert_close(operation(x), expected, rtol=1e-4, atol=1e-5)
    assert not (list(operation.parameters()) and name in ('none', 'max_pool_3x3', 'avg_pool_3x3'))


@pytest.mark.parametrize('name', SPACES['sandglass'])
def test_sizes_are_rounded_up(name):
    assert make_operation(name, 4, 2)(torch.randn(2, 4, 5, 7)).shape == (2, 4, 3, 4)


@pytest.mark.parametrize('channels', [2, 4, 16, 36])
def test_the_sandglass_narrows_every_width_by_half(channels):
    block = make_operation('sandglass', channels, 1)
    assert block.reduce.conv.weight.shape == (channels // 2, channels, 1, 1)


def test_the_spaces():
    assert len(operations_of('darts')) == 8
    assert operations_of('sandglass') == (*operations_of('darts'), 'sandglass')
    with pytest.raises(UsageError, match="There is no search space 'nasnet': choose one of darts, sandglass"):
        operations_of('nasnet')
