import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from executorch.exir import to_edge_transform_and_lower
from executorch.exir._serialize._program import deserialize_pte_binary
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mobilenext_det.datasets.toy_scenes import draw_scene
from mobilenext_det.deploy.agreement import agreement
from mobilenext_det.deploy.executorch_file import ExecuTorchDetector, export_executorch, flatbuffers_compiler
from mobilenext_det.deploy.network import ExportableNetwork
from mobilenext_det.deploy.runtime import DeployError, Fit
from mobilenext_det.engine.config import load_config
from mobilenext_det.inference.detector import Detector
from tests.fixtures.shipped import TOY_DETECTOR

SQUARE = Fit(192, 192)

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / 'tools' / 'android' / 'run_on_phone.sh'


@pytest.fixture(scope='module')
def fp32(network, folder):
    export_executorch(network, folder / 'fp32.pte')
    return folder / 'fp32.pte'


@pytest.fixture(scope='module')
def int8(network, folder):
    pictures = np.stack([SQUARE.prepare(draw_scene(0, 'trainval', index)[0]) for index in range(16)])
    export_executorch(network, folder / 'int8.pte', pictures)
    return folder / 'int8.pte'


def kernels(path):
    """Names of the operators that ExecuTorch itself computes; XNNPACK computes the others."""
    with flatbuffers_compiler():
        program = deserialize_pte_binary(path.read_bytes()).program
    (plan,) = [plan for plan in program.execution_plan if plan.name == 'forward']
    assert {delegate.id for delegate in plan.delegates} == {'XnnpackBackend'}
    return {operator.name for operator in plan.operators}


def test_it_finds_what_pytorch_finds(trained, fp32, scenes):
    compared = agreement(trained, ExecuTorchDetector(str(fp32)), scenes)
    assert compared.equal, compared
    assert compared.detections > 5


def test_it_says_what_it_is(network, fp32, int8):
    for path in (fp32, int8):
        detector = ExecuTorchDetector(str(path), threads=1)
        assert detector._open(None, ())[0] == network.description
        assert detector.classes == tuple(network.description['classes'])


def test_a_batch_is_its_pictures(network, fp32, scenes):
    batch = np.stack([SQUARE.prepare(scene) for scene in scenes[:2]])
    _, run = ExecuTorchDetector(str(fp32))._open(None, ())
    for output, expected in zip(run(batch), network(torch.from_numpy(batch)), strict=True):
        np.testing.assert_allclose(output, expected.numpy(), atol=1e-5)


def test_int8_of_a_smaller_identity_multiplier_runs(folder, scenes):
    half = 'model.backbone.identity_multiplier=0.5'
    network = ExportableNetwork(
        Detector(load_config(ROOT / 'configs' / 'ssdlite_mobilenext_toy.py', [half]), TOY_DETECTOR)
    )
    batch = np.stack([SQUARE.prepare(scene) for scene in scenes[:4]])
    export_executorch(network, folder / 'half.pte', batch)
    _, run = ExecuTorchDetector(str(folder / 'half.pte'))._open(None, ())
    (_, found), (_, expected) = run(batch), network(torch.from_numpy(batch))
    assert np.corrcoef(found.ravel(), expected.numpy().ravel())[0, 1] > 0.9


def test_xnnpack_computes_all_but_the_cast_of_the_pixels_and_in_int8_the_slices(fp32, int8):
    assert kernels(fp32) == {'dim_order_ops::_to_dim_order_copy'}
    assert kernels(int8) == {'dim_order_ops::_to_dim_order_copy', 'aten::slice_copy'}


def test_int8_is_small_and_finds_what_is_surely_found(trained, fp32, int8, scenes):
    assert int8.stat().st_size < 0.45 * fp32.stat().st_size
    detector, sure = ExecuTorchDetector(str(int8)), 0
    for scene in scenes:
        found = detector(scene, 0.3)
        for wanted in trained(scene, 0.5):
            sure += 1
            boxes = [one['box'] for one in found if one['class'] == wanted['class']]
            assert min(np.abs(np.subtract(box, wanted['box'])).max() for box in boxes) < 8
    assert sure > 3


def test_mobilenetv2_can_be_exported(tmp_path):
    config = ROOT / 'configs' / 'compare' / 'toy_mobilenetv2_expansion.py'
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'untrained.pth')
    network = ExportableNetwork(Detector(str(config), str(tmp_path / 'untrained.pth')))
    export_executorch(network, tmp_path / 'model.pte')

    picture = np.random.default_rng(0).integers(0, 256, (1, 192, 192, 3), np.uint8)
    _, run = ExecuTorchDetector(str(tmp_path / 'model.pte'))._open(None, ())
    for output, expected in zip(run(picture), network(torch.from_numpy(picture)), strict=True):
        np.testing.assert_allclose(output, expected.numpy(), atol=1e-4)


@pytest.mark.parametrize('content', [b'', b'no model', b'no model ' * 1000], ids=['empty', 'short', 'long'])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / 'broken.pte').write_bytes(content)
    with pytest.raises(DeployError, match=r'broken.pte is no ExecuTorch file that can be run here \('):
        ExecuTorchDetector(str(tmp_path / 'broken.pte'))


def test_half_a_file_is_refused(fp32, tmp_path):
    (tmp_path / 'half.pte').write_bytes(fp32.read_bytes()[: fp32.stat().st_size // 2])
    with pytest.raises(DeployError, match=r'half.pte is no ExecuTorch file that can be run here \('):
        ExecuTorchDetector(str(tmp_path / 'half.pte'))


def test_the_file_of_another_program_is_refused(tmp_path):
    program = torch.export.export(nn.ReLU(), (torch.zeros(1),))
    (tmp_path / 'other.pte').write_bytes(to_edge_transform_and_lower(program).to_executorch().buffer)
    with pytest.raises(DeployError, match='other.pte does not say what its classes are'):
        ExecuTorchDetector(str(tmp_path / 'other.pte'))


@pytest.mark.parametrize(
    ('tools', 'message'),
    [
        ((), 'adb is not on the PATH: install the Android SDK platform tools.'),
        (('adb',), 'cmake is not on the PATH: install CMake 3.24 or newer.'),
        (('adb', 'cmake'), "ANDROID_NDK is '', which holds no Android NDK: set it to the NDK's folder."),
    ],
    ids=['adb', 'cmake', 'ndk'],
)
def test_the_script_names_what_is_missing(tmp_path, tools, message):
    (tmp_path / 'model.pte').touch()
    (tmp_path / 'bash').symlink_to('/bin/bash')
    for tool in tools:
        (tmp_path / tool).symlink_to('/bin/true')
    env = {**os.environ, 'PATH': str(tmp_path), 'ANDROID_NDK': ''}
    result = subprocess.run([SCRIPT, tmp_path / 'model.pte'], env=env, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr.strip()) == (2, '', message)


def test_the_script_wants_a_model():
    result = subprocess.run([SCRIPT, 'nothing.pte'], capture_output=True, text=True)
    assert (result.returncode, result.stderr.strip()) == (
        2,
        'There is no model nothing.pte: write one with tools/export.py --format executorch.',
    )
