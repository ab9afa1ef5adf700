from pathlib import Path

import pytest

from mobilenext_det.datasets.toy_scenes import draw_scene
from mobilenext_det.deploy.formats import write_exported
from mobilenext_det.deploy.network import ExportableNetwork
from mobilenext_det.inference.detector import Detector

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'ssdlite_mobilenext_toy.py'
(CHECKPOINT,) = (ROOT / 'checkpoints').glob('ssdlite_*.pth')


@pytest.fixture(scope='session')
def trained():
    """The trained detector of the repository."""
    return Detector(str(CONFIG), str(CHECKPOINT))


@pytest.fixture(scope='session')
def network(trained):
    return ExportableNetwork(trained).eval()


@pytest.fixture(scope='session')
def scenes():
    """Held-out pictures of several sizes, BGR."""
    return [draw_scene(0, 'test', index)[0] for index in range(6)]


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('exported')


@pytest.fixture(scope='session')
def onnx_path(trained, folder):
    return write_exported(trained, folder, 'onnx')


@pytest.fixture(scope='session')
def torchscript_path(trained, folder):
    return write_exported(trained, folder, 'torchscript')
