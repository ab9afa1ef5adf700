import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import nms

from mobilenext_det.deploy import runtime
from mobilenext_det.deploy.runtime import DeployError, Detector, Fit, suppress


@pytest.fixture(scope='module')
def exported(onnx_path):
    return Detector(str(onnx_path))


def test_detections_are_those_of_the_checkpoint(trained, exported, scenes):
    total = 0
    for scene in scenes:
        wanted, found = trained(scene, 0.05), exported(scene, 0.05)
        assert [one['class'] for one in found] == [one['class'] for one in wanted]
        np.testing.assert_allclose([one['score'] for one in found], [one['score'] for one in wanted], atol=1e-3)
        np.testing.assert_allclose([one['box'] for one in found], [one['box'] for one in wanted], atol=0.5)
        total += len(found)
    assert total > 10


def test_pictures_of_several_sizes_go_in_one_batch(exported, scenes):
    assert len({scene.shape for scene in scenes}) > 1
    assert exported.detect(scenes) == [exported(scene) for scene in scenes]


def test_threads_do_not_change_what_is_found(onnx_path, exported, scenes):
    assert Detector(str(onnx_path), threads=1)(scenes[0]) == exported(scenes[0])


def test_the_picture_is_stretched_and_its_channels_are_turned():
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[..., 0] = 200  # blue
    assert Fit(6, 3).prepare(picture).shape == (3, 6, 3)
    assert (Fit(6, 3).prepare(picture) == (0, 0, 200)).all()


def test_a_picture_that_keeps_its_ratio_is_padded_and_its_boxes_are_brought_back():
    picture = np.full((4, 8, 3), (200, 0, 0), np.uint8)
    fit = Fit(6, 6, (1, 2, 3))
    fitted = fit.prepare(picture)
    assert (fitted[:3] == (0, 0, 200)).all()
    assert (fitted[3:] == (1, 2, 3)).all()
    assert fit.restore(np.array([[0, 0, 1, 0.5], [0.5, 0.25, 1, 1]]), picture.shape).tolist() == [
        [0, 0, 8, 4],
        [4, 2, 8, 8],
    ]
    assert Fit(6, 6, (1, 2, 3)).inner_size((1, 1000)) == (6, 1)


@pytest.mark.parametrize(
    ('picture', 'named'),
    [
        (np.zeros((4, 4), np.uint8), r'uint8 \(4, 4\)'),
        (np.zeros((4, 4, 3), np.float32), 'float32'),
        (np.zeros((0, 4, 3), np.uint8), r'uint8 \(0, 4, 3\)'),
        ('a.jpg', 'str'),
    ],
)
def test_what_is_no_picture_is_refused(exported, picture, named):
    with pytest.raises(DeployError, match=f'uint8 array .* but got {named}'):
        exported(picture)


def test_files_that_are_no_exported_detector_are_refused(tmp_path):
    with pytest.raises(DeployError, match='There is no model .*none.onnx'):
        Detector(str(tmp_path / 'none.onnx'))
    broken = tmp_path / 'broken.onnx'
    broken.write_text('no model')
    with pytest.raises(DeployError, match='broken.onnx is no ONNX model'):
        Detector(str(broken))
    foreign = tmp_path / 'foreign.onnx'
    graph = '<ir_version: 9, opset_import: ["" : 18]> g (float[1] x) => (float[1] y) { y = Identity (x) }'
    onnx.save(onnx.parser.parse_model(graph), foreign)
    with pytest.raises(DeployError, match='foreign.onnx does not say what its classes are'):
        Detector(str(foreign))


def test_a_provider_that_is_not_there_is_named(onnx_path):
    with pytest.raises(DeployError, match='Provider TensorFlowProvider is not available here, only .*CPUExecution'):
        Detector(str(onnx_path), providers=['TensorFlowProvider'])


boxes = st.lists(
    st.tuples(*[st.floats(0, 100, width=32)] * 2, *[st.floats(0.5, 50, width=32)] * 2, st.integers(0, 10**6)),
    min_size=1,
    max_size=30,
    unique_by=lambda row: row[4],
)


@given(boxes)
def test_suppression_is_torchvisions(rows):
    rows = np.array(rows, np.float64)
    corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
    wanted = nms(torch.from_numpy(corners), torch.from_numpy(rows[:, 4]), 0.45)
    assert suppress(corners, rows[:, 4], 0.45, len(rows)).tolist() == wanted.tolist()
    assert suppress(corners, rows[:, 4], 0.45, 2).tolist() == wanted[:2].tolist()


def test_nothing_is_left_of_nothing():
    assert suppress(np.zeros((0, 4)), np.zeros(0), 0.5, 10).shape == (0,)


@pytest.fixture(scope='module')
def alone(onnx_path, tmp_path_factory, scenes):
    """A folder with the runtime, the model and a picture, and nothing of the package."""
    folder = tmp_path_factory.mktemp('alone')
    shutil.copy(runtime.__file__, folder / 'runtime.py')
    shutil.copy(onnx_path, folder / 'model.onnx')
    cv2.imwrite(str(folder / 'scene.png'), scenes[0])
    return folder


def test_the_file_alone_loads_neither_torch_nor_mmdet(alone, exported, scenes):
    code = (
        'import cv2, json, sys; from runtime import Detector; found = Detector("model.onnx")(cv2.imread("scene.png"));'
        'print(json.dumps([found, sorted({"torch", "mmdet", "mmengine", "mobilenext_det"} & set(sys.modules))]))'
    )
    done = subprocess.run([sys.executable, '-c', code], cwd=alone, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [exported(scenes[0]), []]


def test_the_command_prints_what_was_found(alone, exported, scenes):
    command = [sys.executable, 'runtime.py', 'model.onnx', 'scene.png']
    done = subprocess.run([*command, '--json'], cwd=alone, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {'scene.png': exported(scenes[0])}
    done = subprocess.run(command, cwd=alone, capture_output=True, text=True, check=True)
    first, *rows = done.stdout.splitlines()
    assert first == f'scene.png: {len(rows)} found'
    assert rows[0].split()[:2] == [exported(scenes[0])[0]['class'], f'{exported(scenes[0])[0]["score"]:.4f}']


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['none.onnx', 'scene.png'], 'There is no model none.onnx.'),
        (['model.onnx', 'none.png'], 'none.png is not there.'),
        (['model.onnx', 'runtime.py'], 'runtime.py is no picture that can be read.'),
    ],
)
def test_the_command_says_in_one_sentence_what_is_wrong(alone, arguments, sentence):
    done = subprocess.run([sys.executable, 'runtime.py', *arguments], cwd=alone, capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip().splitlines()[-1]) == (2, sentence)
