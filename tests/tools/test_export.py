import subprocess
import sys
from pathlib import Path

import pytest

from mobilenext_det.datasets.toy_voc import make_toy_voc

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'ssdlite_mobilenext_toy.py'
(CHECKPOINT,) = (ROOT / 'checkpoints').glob('ssdlite_*.pth')


def run(*arguments, tool='export'):
    command = [sys.executable, str(ROOT / 'tools' / f'{tool}.py'), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_file_is_written_checked_and_run(tmp_path):
    done = run(CONFIG, CHECKPOINT, '--out', tmp_path, '--data-root', tmp_path / 'none')
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ['runtime.py', 'ssdlite_mobilenext_toy.onnx']
    size, runs, check = done.stdout.splitlines()[-3:]
    assert size.endswith(' MB')
    assert 'python runtime.py ssdlite_mobilenext_toy.onnx PICTURE' in runs
    assert check.startswith('All ')
    assert 'equal those of PyTorch within 0.5 pixels and 0.001 in score' in check
    command = [sys.executable, 'runtime.py', 'ssdlite_mobilenext_toy.onnx', ROOT / 'docs' / 'pictures' / 'bccd.jpg']
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        ((CONFIG, 'none.pth'), 'There is no checkpoint none.pth.'),
        (('none.py', CHECKPOINT), 'There is no config none.py.'),
        ((CONFIG, CHECKPOINT, '--opset', '9'), 'Opset 9 cannot be written, only 18 to 23.'),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, arguments, sentence):
    done = run(*arguments, '--out', tmp_path / 'out', '--data-root', tmp_path)
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1] == sentence


def test_int8_without_pictures_names_what_is_missing(tmp_path):
    done = run(CONFIG, CHECKPOINT, '--out', tmp_path, '--quantize', 'int8', '--data-root', tmp_path)
    assert done.returncode == 2
    assert 'trainval.txt' in done.stderr.strip().splitlines()[-1]


def test_a_damaged_exported_file_is_named_by_evaluation(tmp_path):
    make_toy_voc(tmp_path / 'toy', trainval=1, test=2, workers=1)
    (tmp_path / 'broken.onnx').write_text('no model')
    done = run(
        *(CONFIG, tmp_path / 'broken.onnx', '--data-root', tmp_path / 'toy', '--work-dir', tmp_path / 'work'),
        tool='test',
    )
    assert done.returncode == 2
    assert 'broken.onnx is no ONNX model that can be run here' in done.stderr.strip().splitlines()[-1]
