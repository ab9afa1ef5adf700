import copy
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from mobilenext_det.deploy.onnx_file import _same_names, _suppression, _with_opset, export_onnx, trace
from mobilenext_det.deploy.runtime import DeployError, Detector, Fit
from mobilenext_det.errors import UsageError

SQUARE = Fit(192, 192)


@pytest.fixture(scope='module')
def batch(scenes):
    return np.stack([SQUARE.prepare(scene) for scene in scenes])


@pytest.fixture(scope='module')
def plain_path(network, folder):
    """Without suppression, and with the oldest operators that can be written."""
    path = folder / 'plain.onnx'
    export_onnx(network, path, nms=False, opset=11)
    return path


def run(path, batch):
    return onnxruntime.InferenceSession(path).run(None, {'images': batch})


def test_inputs_and_outputs_are_as_documented(onnx_path, plain_path, batch):
    model, plain = onnx.load(onnx_path), onnx.load(plain_path)
    assert [output.name for output in model.graph.output] == ['boxes', 'scores', 'labels']
    assert [output.name for output in plain.graph.output] == ['candidates', 'probabilities']
    assert (model.opset_import[0].version, plain.opset_import[0].version) == (20, 11)
    for count in (1, len(batch)):
        boxes, scores, labels = run(onnx_path, batch[:count])
        assert (boxes.shape, scores.shape, labels.shape) == ((count, 100, 4), (count, 100), (count, 100))
        assert [output.shape for output in run(plain_path, batch[:count])] == [(count, 1170, 4), (count, 1170, 20)]


def test_the_network_computes_what_pytorch_computes(network, plain_path, batch):
    expected = network(torch.from_numpy(batch))
    for output, wanted in zip(run(plain_path, batch), expected, strict=True):
        np.testing.assert_allclose(output, wanted.numpy(), atol=2e-5)


def test_suppression_in_the_file_is_that_of_the_runtime(onnx_path, plain_path, batch):
    inside, outside = Detector(str(onnx_path)).find(batch), Detector(str(plain_path)).find(batch)
    for one, other in zip(inside, outside, strict=True):
        assert len(one.scores) == len(other.scores) > 5
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_allclose(one.boxes, other.boxes, atol=1e-5)


def test_a_picture_alone_gives_what_it_gives_in_a_batch(onnx_path, batch):
    together = run(onnx_path, batch)
    for index in range(len(batch)):
        for output, wanted in zip(run(onnx_path, batch[index : index + 1]), together, strict=True):
            np.testing.assert_allclose(output[0], wanted[index], atol=1e-5)


def test_the_file_says_what_it_is(onnx_path, network):
    entry, seal = onnx.load(onnx_path).metadata_props
    assert seal.key == 'sha256'
    assert entry.key == 'mobilenext_det'
    assert json.loads(entry.value) == network.description | {'batch': None}


def test_a_file_with_one_flipped_bit_is_refused(onnx_path, tmp_path):
    """ONNX Runtime runs it: one weight is another one."""
    content = bytearray(onnx_path.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / 'flipped.onnx').write_bytes(content)
    with pytest.raises(DeployError, match='flipped.onnx is not as tools/export.py wrote it, but damaged or changed'):
        Detector(str(tmp_path / 'flipped.onnx'))


def test_a_file_that_another_tool_wrote_again_is_taken_without_its_seal(onnx_path, tmp_path):
    model = onnx.load(onnx_path)
    model.producer_name = 'another tool'
    path = tmp_path / 'changed.onnx'
    onnx.save(model, path)
    with pytest.raises(DeployError, match='remove sha256 from its metadata if the change is wanted'):
        Detector(str(path))
    del model.metadata_props[1]
    onnx.save(model, path)
    assert Detector(str(path)).classes


def test_the_network_is_the_same_in_every_older_opset(network, batch):
    """Those that PyTorch's exporter does not write are converted."""
    newest, wanted = trace(network, 18), network(torch.from_numpy(batch))
    for opset, ir_version in {11: 6, 12: 7, 13: 7, 14: 7, 15: 8, 16: 8, 17: 8}.items():
        model = _with_opset(copy.deepcopy(newest), opset)
        assert (model.opset_import[0].version, model.ir_version) == (opset, ir_version)
        suppressed = onnx.compose.merge_models(model, _suppression(model, network, None), _same_names(model))
        for each in (model, suppressed):
            onnx.checker.check_model(each, full_check=True)
        for output, expected in zip(run(model.SerializeToString(), batch), wanted, strict=True):
            np.testing.assert_allclose(output, expected.numpy(), atol=2e-5)
        assert len(run(suppressed.SerializeToString(), batch)) == 3


def test_int8_needs_opset_13(network, batch, tmp_path):
    with pytest.raises(UsageError, match='Opset 12 cannot be written in int8, only 13 to 23'):
        export_onnx(network, tmp_path / 'model.onnx', opset=12, calibration=batch)


@pytest.mark.parametrize('opset', [10, 24])
def test_an_opset_that_cannot_be_written_is_refused(network, tmp_path, opset):
    with pytest.raises(UsageError, match=f'Opset {opset} cannot be written, only 11 to 23'):
        export_onnx(network, tmp_path / 'model.onnx', opset=opset)
    assert not list(tmp_path.iterdir())
