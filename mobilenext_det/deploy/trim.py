"""Kernels without the rows and columns that never meet anything but padding."""

from __future__ import annotations

from torch import Tensor, nn


def trim_kernels(network: nn.Module, example: Tensor) -> None:
    """Cut from every convolution what lies in the padding wherever the kernel stands; the outputs stay what they are.

    On maps of one or two cells most of a 3x3 kernel is such. OpenCV 4.12 computes depthwise convolutions of that kind
    wrongly (0.08 in probability; OpenCV 5 does not), and no engine need multiply zeros.

    Args:
        network: The network, which is changed.
        example: An input of the size that it is for.
    """
    handles = [module.register_forward_pre_hook(_trim) for module in network.modules() if isinstance(module, nn.Conv2d)]
    network(example)
    for handle in handles:
        handle.remove()


def _trim(convolution: nn.Conv2d, inputs: tuple[Tensor]) -> None:
    if isinstance(convolution.padding, str) or convolution.dilation != (1, 1):
        return
    for axis, cells in ((2, inputs[0].shape[2]), (3, inputs[0].shape[3])):
        _trim_axis(convolution, axis, cells)


def _trim_axis(convolution: nn.Conv2d, axis: int, cells: int) -> None:
    """Trim along one axis of the weights (out, in, height, width) if nothing of the padding is left to see then."""
    which = axis - 2
    size, stride, padding = (getattr(convolution, name)[which] for name in ('kernel_size', 'stride', 'padding'))
    starts = range(-padding, cells + padding - size + 1, stride)
    seen = [tap for tap in range(size) if any(0 <= start + tap < cells for start in starts)]
    first, number = seen[0], seen[-1] - seen[0] + 1
    if number == size or first != padding or (cells - number) // stride + 1 != len(starts):
        return
    convolution.weight = nn.Parameter(convolution.weight.narrow(axis, first, number).contiguous(), requires_grad=False)
    convolution.kernel_size = _with(convolution.kernel_size, which, number)
    assert not isinstance(convolution.padding, str)
    convolution.padding = _with(convolution.padding, which, 0)


def _with(pair: tuple[int, ...], index: int, value: int) -> tuple[int, ...]:
    return tuple(value if place == index else old for place, old in enumerate(pair))
