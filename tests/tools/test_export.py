import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.utils import digit_version

from mobilenext_det.datasets.toy_voc import make_toy_voc
from tests.fixtures.shipped import TOY_DETECTOR

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(digit_version(torch.__version__) < digit_version('2.5'), reason='such a torch cannot write ONNX')
def test_a_file_is_written_checked_and_run(tools, tmp_path, capsys):
    assert tools.main('export.py', tools.config, TOY_DETECTOR, '--out', tmp_path, '--data-root', tmp_path / 'none') == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ['runtime.py', 'ssdlite_mobilenext_toy.onnx']
    size, runs, check = capsys.readouterr().out.splitlines()[-3:]
    assert size.endswith(' MB')
    assert 'python runtime.py ssdlite_mobilenext_toy.onnx PICTURE' in runs
    assert check.startswith('All ')
    assert 'equal those of PyTorch within 0.5 pixels and 0.001 in score' in check
    command = [
        sys.executable,
        'runtime.py',
        'ssdlite_mobilenext_toy.onnx',
        ROOT / 'docs' / 'pictures' / 'photographs.jpg',
    ]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True).returncode == 0


def test_a_torchscript_file_is_written_and_checked(tools, tmp_path, capsys):
    arguments = ('--format', 'torchscript', '--out', tmp_path, '--data-root', tmp_path / 'none')
    assert tools.main('export.py', tools.config, TOY_DETECTOR, *arguments) == 0
    assert (tmp_path / 'ssdlite_mobilenext_toy.torchscript').stat().st_size > 1e6
    assert 'equal those of PyTorch within 0.5 pixels and 0.001 in score' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (('none.pth',), 'There is no checkpoint none.pth.'),
        ((TOY_DETECTOR, '--batch', '0'), 'A batch of 0 cannot be written: name 1 or more.'),
        ((TOY_DETECTOR, '--opset', '9'), 'Opset 9 cannot be written, only 11 to 23.'),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tools, tmp_path, capsys, arguments, sentence):
    assert tools.main('export.py', tools.config, *arguments, '--out', tmp_path / 'out', '--data-root', tmp_path) == 2
    assert capsys.readouterr().err.strip().splitlines()[-1] == sentence


def test_a_file_of_which_nothing_was_compared_is_an_error_and_named(tools, tmp_path, capsys):
    arguments = ('--format', 'torchscript', '--out', tmp_path, '--data-root', tmp_path / 'none')
    unsure = ('--cfg-options', 'model.test_cfg.score_thr=0.999')
    assert tools.main('export.py', tools.config, TOY_DETECTOR, *arguments, *unsure) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith(f'{tmp_path / "ssdlite_mobilenext_toy.torchscript"} was written, but do not rely on it: ')
    assert 'Nothing was compared' in said


def test_int8_without_pictures_names_what_is_missing(tools, tmp_path, capsys):
    arguments = (tools.config, TOY_DETECTOR, '--out', tmp_path, '--quantize', 'int8', '--data-root', tmp_path)
    assert tools.main('export.py', *arguments) == 2
    assert 'trainval.txt' in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_damaged_exported_file_is_named_by_evaluation(tools, tmp_path, capsys):
    make_toy_voc(tmp_path / 'toy', trainval=1, test=2, workers=1)
    (tmp_path / 'broken.onnx').write_text('no model')
    arguments = (
        tools.config,
        tmp_path / 'broken.onnx',
        '--data-root',
        tmp_path / 'toy',
        '--work-dir',
        tmp_path / 'work',
    )
    assert tools.main('test.py', *arguments) == 2
    assert 'broken.onnx is no ONNX model that can be run here' in capsys.readouterr().err.strip().splitlines()[-1]
