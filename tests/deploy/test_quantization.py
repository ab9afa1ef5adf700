import numpy as np
import onnx
import pytest

from mobilenext_det.datasets.toy_scenes import draw_scene
from mobilenext_det.deploy.agreement import INT8, agreement
from mobilenext_det.deploy.formats import Options, write_exported
from mobilenext_det.deploy.runtime import Detector, Fit

SQUARE = Fit(192, 192)


@pytest.fixture(scope='module')
def int8_path(trained, tmp_path_factory):
    pictures = np.stack([SQUARE.prepare(draw_scene(0, 'trainval', index)[0]) for index in range(24)])
    return write_exported(trained, tmp_path_factory.mktemp('int8'), 'onnx', Options(pictures))


@pytest.fixture(scope='module')
def graph(int8_path):
    return onnx.load(int8_path).graph


def test_every_convolution_has_int8_weights_by_channel(graph):
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    convolutions = [node for node in graph.node if node.op_type == 'Conv']
    assert len(convolutions) == 108
    for node in convolutions:
        weights, scale, _ = makers[node.input[1]].input
        assert tensors[weights].dtype == np.int8
        assert tensors[scale].shape == tensors[weights].shape[:1]
        assert makers[node.input[0]].op_type == 'DequantizeLinear'


def test_normalisation_outputs_and_decoding_stay_in_float(graph):
    nodes = list(graph.node)
    kinds = [node.op_type for node in nodes]
    first, last = kinds.index('QuantizeLinear'), len(kinds) - 1 - kinds[::-1].index('DequantizeLinear')
    makers = {output: node for node in nodes for output in node.output}
    flattened = [makers[node.input[0]].op_type for node in nodes if node.op_type == 'Transpose']
    assert flattened.count('Conv') == 12  # the predictors' outputs are not rounded
    assert {'Cast', 'Mul', 'Add'} <= set(kinds[:first])
    assert {'Softmax', 'Exp', 'NonMaxSuppression'} <= set(kinds[last:])


def test_the_file_is_small_and_finds_the_same(int8_path, onnx_path, trained):
    assert int8_path.name == 'ssdlite_mobilenext_toy-int8.onnx'
    assert int8_path.stat().st_size < 0.4 * onnx_path.stat().st_size
    scenes = [draw_scene(0, 'test', index)[0] for index in range(24)]
    result = agreement(trained, Detector(str(int8_path)), scenes, INT8)
    assert result.detections > 30
    assert result.matched >= 0.9 * result.detections
    assert result.additional <= 0.1 * result.detections
