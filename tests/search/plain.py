"""The operations and cells of DARTS a second time, as arithmetic on the weights of the first."""

import torch
import torch.nn.functional as F
from torch import nn


def randomise(module):
    """Give batch norms statistics and scales that show whether they are applied."""
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
            if norm.affine:
                nn.init.normal_(norm.weight)
                nn.init.normal_(norm.bias)


def plain_operation(name, module, x, stride):
    """Apply an operation, in evaluation mode."""
    weights = iter([each.weight for each in module.modules() if isinstance(each, nn.Conv2d)])
    norms = iter([each for each in module.modules() if isinstance(each, nn.BatchNorm2d)])

    def norm(x):
        n = next(norms)
        x = (x - n.running_mean[:, None, None]) / (n.running_var[:, None, None] + n.eps).sqrt()
        return x * n.weight[:, None, None] + n.bias[:, None, None] if n.affine else x

    def depthwise(x, stride=1, dilation=1):
        weight = next(weights)
        size = weight.shape[-1]
        return F.conv2d(x, weight, None, stride, dilation * (size // 2), dilation, groups=x.shape[1])

    def pointwise(x):
        return torch.einsum('oi,nihw->nohw', next(weights)[..., 0, 0], x)

    if name == 'none':
        return torch.zeros_like(x[..., ::stride, ::stride])
    if name == 'max_pool_3x3':
        return F.max_pool2d(x, 3, stride, 1)
    if name == 'avg_pool_3x3':
        ones = torch.ones_like(x)
        return F.avg_pool2d(x, 3, stride, 1) / F.avg_pool2d(ones, 3, stride, 1)
    if name == 'skip_connect' and stride == 1:
        return x
    if name == 'skip_connect':
        x = x.relu()
        return norm(torch.cat([pointwise(x[..., ::2, ::2]), pointwise(x[..., 1::2, 1::2])], 1))
    if name.startswith('sep_conv'):
        x = norm(pointwise(depthwise(x.relu(), stride)))
        return norm(pointwise(depthwise(x.relu())))
    if name.startswith('dil_conv'):
        return norm(pointwise(depthwise(x.relu(), stride, 2)))
    assert name == 'sandglass'
    wide = norm(depthwise(x)).clamp(0, 6)
    wide = norm(pointwise(norm(pointwise(wide)))).clamp(0, 6)
    return norm(depthwise(wide, stride)) + (x if stride == 1 else 0)


def plain_inputs(cell, states):
    """Bring two states to a cell's channels, the first, larger one to the size of the second."""
    first = plain_operation('skip_connect', cell.inputs[0], states[0], 2)
    _, conv, norm = cell.inputs[1]
    second = torch.einsum('oi,nihw->nohw', conv.weight[..., 0, 0], states[1].relu())
    return [first, F.batch_norm(second, norm.running_mean, norm.running_var, norm.weight, norm.bias)]


def plain_cell(cell, nodes, states, reduce):
    """Compute the output of a derived cell behind a reduction."""
    states = plain_inputs(cell, states)
    edges = iter(cell.edges)
    for node in nodes:
        states.append(
            sum(
                plain_operation(name, next(edges), states[source], 2 if reduce and source < 2 else 1)
                for name, source in node
            )
        )
    return torch.cat(states[2:], 1)
