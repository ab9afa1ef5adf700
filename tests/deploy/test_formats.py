import numpy as np
import pytest
import torch

from mobilenext_det.deploy.formats import Options, is_exported, open_exported, write_exported
from mobilenext_det.deploy.runtime import Detector
from mobilenext_det.deploy.torchscript_file import TorchScriptDetector
from mobilenext_det.errors import UsageError


def test_files_are_opened_by_their_suffix(onnx_path, torchscript_path):
    assert type(open_exported(str(onnx_path))) is Detector
    assert type(open_exported(str(torchscript_path))) is TorchScriptDetector
    assert (onnx_path.name, torchscript_path.name) == (
        'ssdlite_mobilenext_toy.onnx',
        'ssdlite_mobilenext_toy.torchscript',
    )


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(UsageError, match='model.pth is no exported detector: its name must end in .onnx, .torchscript'):
        open_exported('model.pth')
    assert not is_exported('model.pth')
    assert is_exported('model.onnx')


def test_torchscript_has_no_int8(trained, tmp_path):
    with pytest.raises(UsageError, match='TorchScript files are written in fp32 only'):
        write_exported(trained, tmp_path, 'torchscript', Options(np.zeros((1, 192, 192, 3), np.uint8)))


@pytest.mark.parametrize('name', ['onnx', 'executorch'])
def test_a_torch_that_is_too_old_is_named(trained, tmp_path, monkeypatch, name):
    """As torch 2.4, whose exporter takes no `dynamic_shapes`."""
    monkeypatch.setattr(torch, '__version__', '2.4.1+cpu')
    with pytest.raises(UsageError, match=r'torch 2.5 or later, but this is 2.4.1\+cpu: .* or choose torchscript\.$'):
        write_exported(trained, tmp_path, name)
    assert write_exported(trained, tmp_path, 'torchscript').exists()


@pytest.mark.parametrize('options', [Options(opset=13), Options(batch=2)])
def test_an_opset_and_a_batch_are_onnx_alone(trained, tmp_path, options):
    with pytest.raises(UsageError, match='Only ONNX files have an opset and a batch of their own, TorchScript files'):
        write_exported(trained, tmp_path, 'torchscript', options)
