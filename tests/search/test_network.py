"""The network of a genotype: published counts, a second implementation of its cells, outputs for detectors."""

from pathlib import Path

import pytest
import torch
from mmcv.cnn.bricks import DropPath
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mobilenext_det.analysis.complexity import complexity
from mobilenext_det.errors import UsageError
from mobilenext_det.models import SandglassBlock, backbone_features
from mobilenext_det.search import SearchedNetwork, read_genotype
from mobilenext_det.search.cells import CellPlan
from mobilenext_det.search.network import DerivedCell
from mobilenext_det.search.operations import DARTS_SPACE
from tests.search.plain import plain_cell

CONFIGS = Path(__file__).parents[2] / 'configs'
DARTS_V2 = CONFIGS / 'search' / 'genotypes' / 'darts_v2.json'


def parameters(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_darts_v2_has_the_published_parameters():
    """Published: 3.3 M with 36 channels and 20 cells, and 4.7 M with DARTS's stem and 14 cells of 48 for ImageNet."""
    cifar = SearchedNetwork(DARTS_V2, channels=36, cells=20)
    assert parameters(cifar) + parameters(nn.Linear(576, 10)) == 3349342
    imagenet = SearchedNetwork(DARTS_V2, channels=48, cells=14, total_stride=32)
    assert parameters(imagenet) + parameters(nn.Linear(768, 1000)) == 4718752


def test_the_auxiliary_head_is_counted_apart():
    parts = complexity(Config.fromfile(CONFIGS / 'search' / 'retrain_cifar10.py')).parts
    assert parts['backbone'].params + parts['head'].params == 3349342
    assert parts['auxiliary'] == (476426, 0)


@pytest.mark.parametrize('reduce', [False, True])
def test_a_cell_is_that_of_a_second_implementation(reduce, every_operation):
    """The two share weights and no line of code; all operations of the space occur."""
    plan = CellPlan(12, 20, 8, reduce, after_reduction=True)
    cell = DerivedCell(plan, every_operation).eval()
    states = torch.randn(2, 12, 16, 16), torch.randn(2, 20, 8, 8)
    expected = plain_cell(cell, getattr(every_operation, 'reduce' if reduce else 'normal'), states, reduce)
    assert expected.shape == (2, 32, 4, 4) if reduce else (2, 32, 8, 8)
    torch.testing.assert_close(cell(states), expected)


def test_what_comes_out_is_what_is_said():
    network = SearchedNetwork(DARTS_V2, channels=8, cells=5, total_stride=32, out_indices=(0, 1, 2))
    outputs = network(torch.randn(1, 3, 96, 96))
    said = [(feature.channels, 96 // feature.stride) for feature in backbone_features(network)]
    assert said == [(output.shape[1], output.shape[2]) for output in outputs] == [(32, 12), (64, 6), (128, 3)]


def test_odd_sizes_come_through():
    network = SearchedNetwork(DARTS_V2, channels=4, cells=3, total_stride=32, out_indices=(1, 2))
    assert [tuple(output.shape[2:]) for output in network(torch.randn(1, 3, 300, 300))] == [(19, 19), (10, 10)]


def test_ssdlite_trains_on_it(every_operation):
    init_default_scope('mmdet')
    config = Config.fromfile(CONFIGS / 'ssdlite_mobilenext_toy.py').model
    config.backbone = dict(
        type='SearchedNetwork',
        genotype=every_operation.as_dict(),
        channels=4,
        cells=3,
        total_stride=32,
        out_indices=(1, 2),
    )
    config.bbox_head.anchor_generator.input_size = 160
    detector = MODELS.build(config)
    samples = [detection_sample(), detection_sample()]
    losses = detector.loss(torch.randn(2, 3, 160, 160), samples)
    sum(sum(each) if isinstance(each, list) else each for each in losses.values()).backward()
    assert all(parameter.grad is not None for parameter in detector.backbone.parameters())


def detection_sample():
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    sample = DetDataSample(metainfo=dict(img_shape=(160, 160), pad_shape=(160, 160), batch_input_shape=(160, 160)))
    sample.gt_instances = InstanceData(bboxes=torch.tensor([[10.0, 10, 60, 70]]), labels=torch.tensor([1]))
    return sample


def test_drop_path_leaves_out_edges_of_single_images_and_never_the_identity():
    genotype = read_genotype(DARTS_V2)
    torch.manual_seed(0)
    cell = DerivedCell(CellPlan(4, 4, 4, False, False), genotype)
    cell.drop_path.drop_prob = 0.999999
    states = torch.randn(8, 4, 4, 4), torch.randn(8, 4, 4, 4)
    with torch.no_grad():
        output = cell(states)
        identity = cell.inputs[0](states[0])
    # Nodes 0 and 1 have convolutions only; node 2 adds the identity of input 0, and node 3 too.
    torch.testing.assert_close(output, torch.cat([0 * identity, 0 * identity, identity, identity], 1))
    assert sum(isinstance(module, DropPath) for module in cell.modules()) == 1


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (dict(space='sandglass'), "is of the search space 'darts', but 'sandglass' is asked for"),
        (dict(total_stride=8), r'total_stride must be one of \(4, 32\), but is 8'),
        (dict(out_indices=(3,)), r'out_indices must name sizes 0 to 2, but is \(3,\)'),
        (dict(cells=2), 'cells must be 3 or more, one of each size, but is 2'),
    ],
)
def test_bad_arguments_are_named(arguments, sentence):
    with pytest.raises(UsageError, match=sentence):
        SearchedNetwork(DARTS_V2, **arguments)


def test_the_sandglass_operation_is_the_block_of_mobilenext():
    block = (
        SearchedNetwork(
            dict(
                space='sandglass',
                normal=[[['sandglass', 0], ['sandglass', 1]]] * 4,
                reduce=[[['sandglass', 0]] * 2] * 4,
            ),
            channels=16,
            cells=3,
        )
        .cells[0]
        .edges[0]
    )
    assert isinstance(block, SandglassBlock)
    assert block.identity_channels == 16
    assert [conv.out_channels for conv in block.modules() if isinstance(conv, nn.Conv2d)] == [16, 8, 16, 16]
    assert 'sandglass' not in DARTS_SPACE
