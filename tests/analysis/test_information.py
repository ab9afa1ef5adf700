"""Effective ranks and reconstruction errors of known maps, and the probe against NumPy on the features themselves."""

import numpy as np
import pytest
import torch
from mmdet.models.layers import InvertedResidual
from torch import nn

from mobilenext_det.analysis.information import BottleneckProbe, Moments, effective_rank, reconstruction_error
from mobilenext_det.models import NarrowDepthwiseSandglassBlock, SandglassBlock


def features(count, channels, seed=0):
    return torch.randn(count, channels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def lost(target, source):
    """Share of the target that least squares on the source leaves, by NumPy."""
    target, source = target - target.mean(0), source - source.mean(0)
    # Directions of rounding noise are left out: 8 channels made of 6 have two.
    weights, *_ = np.linalg.lstsq(source, target, rcond=1e-5)
    return np.square(target - source @ weights).sum() / np.square(target).sum()


def rank(rows):
    values = np.linalg.svd(rows - rows.mean(0), compute_uv=False)
    shares = values / values.sum()
    return np.exp(-(shares * np.log(shares)).sum())


def covariances(target, source):
    moments = Moments()
    moments.add(torch.cat([target, source], 1))
    covariance, split = moments.covariance(), target.shape[1]
    return covariance[:split, :split], covariance[split:, split:], covariance[split:, :split]


@pytest.mark.parametrize('channels', [1, 2, 7])
def test_effective_rank_of_known_spectra(channels):
    assert effective_rank(torch.eye(channels, dtype=torch.float64)) == pytest.approx(channels)
    assert effective_rank(torch.ones(channels, channels, dtype=torch.float64)) == pytest.approx(1, abs=1e-5)
    assert effective_rank(torch.zeros(channels, channels, dtype=torch.float64)) == 0
    # Singular values 1 and 3: entropy of (1/4, 3/4).
    assert effective_rank(torch.diag(torch.tensor([1.0, 9.0]))) == pytest.approx(4 / 3**0.75)


def test_moments_do_not_depend_on_the_batches():
    rows = features(100, 5) + 1000
    whole, parts = Moments(), Moments()
    whole.add(rows)
    for part in rows.float().split(17):
        parts.add(part)
    expected = torch.from_numpy(np.cov(rows.numpy().T, bias=True))
    torch.testing.assert_close(whole.covariance(), expected, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(parts.covariance(), expected, rtol=1e-3, atol=1e-3)
    assert parts.count == 100


def test_a_linear_map_of_full_rank_loses_nothing():
    target = features(500, 6)
    assert reconstruction_error(*covariances(target, target @ features(6, 6, 1))) < 1e-6
    assert reconstruction_error(*covariances(target, target @ features(6, 9, 1) + 3)) < 1e-6


def test_what_a_projection_leaves_out_is_lost():
    target = features(20000, 4) * torch.tensor([1.0, 2.0, 3.0, 4.0])
    target[:, 0] = target[:, 0] - target[:, 1:] @ torch.linalg.lstsq(target[:, 1:], target[:, 0]).solution
    share = target[:, :1].var() / target.var(0).sum()
    assert reconstruction_error(*covariances(target, target[:, 1:])) == pytest.approx(share.item(), abs=1e-4)


def test_unrelated_and_constant_features():
    assert reconstruction_error(*covariances(features(50000, 3), features(50000, 2, 1))) > 0.999
    assert reconstruction_error(*covariances(features(50, 3), torch.ones(50, 2).double())) == pytest.approx(1)
    assert reconstruction_error(*covariances(torch.ones(50, 3).double(), features(50, 2))) == 0


@pytest.mark.parametrize('kind', ['sandglass', 'inverted', 'inverted, no expansion'])
@pytest.mark.parametrize('stride', [1, 2])
def test_the_probe_against_numpy(kind, stride):
    """Three batches, read here by calling the layers one by one, which shows the probe each batch once more."""
    torch.manual_seed(0)
    if kind == 'sandglass':
        block = SandglassBlock(12, 18, stride, reduction_ratio=2)
    else:
        expands = kind == 'inverted'
        block = InvertedResidual(6, 8, 18 if expands else 6, stride=stride, with_expand_conv=expands)
        nn.init.zeros_(block.linear_conv.norm.weight)  # as zero_init_residual does: no loss of the bottleneck's
    backbone = nn.Sequential(nn.Identity(), block).eval()
    probe = BottleneckProbe(backbone)
    inputs, before, after = [], [], []
    with torch.no_grad():
        for _ in range(3):
            x = torch.randn(4, 12 if kind == 'sandglass' else 6, 9, 9)
            backbone(x)
            if kind == 'sandglass':
                wide = block.depthwise_in(x)
                narrow = block.reduce.conv(wide)
            else:
                wide = block.depthwise_conv(block.expand_conv(x) if kind == 'inverted' else x)
                narrow = block.linear_conv.conv(wide)
                x = x[:, :, ::stride, ::stride]
            for rows, feature in ((inputs, x), (before, wide), (after, narrow)):
                rows.append(feature.permute(0, 2, 3, 1).reshape(-1, feature.shape[1]).double().numpy())
    inputs, before, after = (np.concatenate(rows) for rows in (inputs, before, after))
    (result,) = probe.results()
    assert (result.block, result.channels_before, result.channels_after) == ('1', before.shape[1], after.shape[1])
    assert result.rank_before == pytest.approx(rank(before), rel=1e-4)
    assert result.rank_after == pytest.approx(rank(after), rel=1e-4)
    assert result.input_lost == pytest.approx(lost(inputs, after), abs=1e-4)
    assert result.wide_lost == pytest.approx(lost(before, after), abs=1e-4)


def test_a_block_that_starts_with_its_bottleneck():
    """What enters the bottleneck of such a block is the block's input."""
    backbone = NarrowDepthwiseSandglassBlock(in_channels=12, out_channels=12, reduction_ratio=2).eval()
    probe = BottleneckProbe(backbone)
    with torch.no_grad():
        backbone(torch.randn(2, 12, 8, 8, generator=torch.Generator().manual_seed(0)))
    (result,) = probe.results()
    assert (result.channels_before, result.channels_after) == (12, 6)
    assert 0 < result.input_lost == result.wide_lost < 1
