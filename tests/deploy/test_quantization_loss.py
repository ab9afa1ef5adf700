import json

import numpy as np
import pytest

from mobilenext_det.datasets.toy_scenes import draw_scene
from mobilenext_det.deploy.onnx_file import trace
from mobilenext_det.deploy.quantization import nodes_by_part, quantize
from mobilenext_det.deploy.quantization_loss import Loss, decibels, losses_by_part, write
from mobilenext_det.deploy.runtime import Fit

SQUARE = Fit(192, 192)


@pytest.fixture(scope='module')
def model(network):
    return trace(network)


@pytest.fixture(scope='module')
def pictures():
    return np.stack([SQUARE.prepare(draw_scene(0, 'trainval', index)[0]) for index in range(8)])


def test_every_node_between_the_convolutions_belongs_to_one_part(model):
    parts = nodes_by_part(model)
    assert list(parts) == [
        'backbone.stem',
        *(f'backbone.stages.{stage}' for stage in range(8)),
        'neck',
        'head.cls_convs',
        'head.reg_convs',
    ]
    names = [name for part in parts.values() for name in part]
    assert len(set(names)) == len(names)
    convolutions = {node.name for node in model.graph.node if node.op_type == 'Conv'}
    assert convolutions <= set(names)


def test_only_the_parts_asked_for_are_quantised(model, pictures):
    def int8(quantised):
        return sum(node.op_type == 'Conv' and 'DequantizeLinear' in node.input[1] for node in quantised.graph.node)

    assert int8(quantize(model, pictures[:2], ['backbone.stem'])) == 1
    assert int8(quantize(model, pictures[:2])) == 108


def test_one_part_loses_less_than_all(model, pictures):
    losses = {loss.part: loss for loss in losses_by_part(model, pictures[:4], pictures[4:])}
    assert list(losses) == [*nodes_by_part(model), 'all']
    assert all(losses['all'].probabilities < losses[part].probabilities for part in nodes_by_part(model))
    assert 15 < losses['all'].probabilities < losses['all'].boxes


def test_decibels():
    assert decibels(np.array([10.0]), np.array([11.0])) == pytest.approx(20)
    assert decibels(np.ones(3), np.ones(3)) == np.inf


def test_the_numbers_are_written_and_shown(tmp_path):
    table = write({'net': [Loss('neck', 31.25, 50.0)]}, tmp_path / 'deep' / 'losses.json')
    assert json.loads((tmp_path / 'deep' / 'losses.json').read_text()) == {
        'net': [{'part': 'neck', 'probabilities': 31.25, 'boxes': 50.0}]
    }
    assert '| net     | neck    |              31.2 |      50.0 |' in table
