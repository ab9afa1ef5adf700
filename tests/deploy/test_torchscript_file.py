import numpy as np
import pytest
import torch

from mobilenext_det.deploy.runtime import DeployError, Detector, Fit
from mobilenext_det.deploy.torchscript_file import TorchScriptDetector, export_torchscript

SQUARE = Fit(192, 192)


@pytest.fixture(scope='module')
def batch(scenes):
    return np.stack([SQUARE.prepare(scene) for scene in scenes])


def test_what_is_found_is_what_the_onnx_file_finds(torchscript_path, onnx_path, scenes):
    script, onnx = TorchScriptDetector(str(torchscript_path)), Detector(str(onnx_path))
    assert script.classes == onnx.classes
    for scene in scenes:
        found, wanted = script(scene, 0.05), onnx(scene, 0.05)
        assert [one['class'] for one in found] == [one['class'] for one in wanted]
        np.testing.assert_allclose([one['box'] for one in found], [one['box'] for one in wanted], atol=0.11)
        np.testing.assert_allclose([one['score'] for one in found], [one['score'] for one in wanted], atol=2e-4)


def test_the_file_needs_torch_alone_and_takes_any_batch(torchscript_path, batch):
    script = torch.jit.load(torchscript_path)
    boxes, scores, labels = script(torch.from_numpy(batch))
    assert (boxes.shape, scores.shape, labels.shape) == ((len(batch), 100, 4), (len(batch), 100), (len(batch), 100))
    for index in range(len(batch)):
        torch.testing.assert_close(script(torch.from_numpy(batch[index : index + 1]))[1][0], scores[index])


def test_a_picture_without_objects_is_no_error(torchscript_path):
    assert TorchScriptDetector(str(torchscript_path))(np.full((50, 50, 3), 255, np.uint8), 0.9) == []


def test_suppression_can_be_left_out(network, torchscript_path, tmp_path, scenes):
    export_torchscript(network, tmp_path / 'plain.torchscript', nms=False)
    plain = TorchScriptDetector(str(tmp_path / 'plain.torchscript'))
    assert plain(scenes[0]) == TorchScriptDetector(str(torchscript_path))(scenes[0])


def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / 'broken.torchscript').write_text('no model')
    with pytest.raises(DeployError, match='broken.torchscript is no TorchScript file'):
        TorchScriptDetector(str(tmp_path / 'broken.torchscript'))
