"""What all benchmark tools have in common; the numbers of the whole are tested in tests/speed/test_overview.py."""

import subprocess

import pytest

NAMES = ('train', 'predict', 'pipeline', 'startup', 'scale', 'deploy', 'eval', 'all')


@pytest.mark.parametrize('name', NAMES)
def test_help_comes_before_any_heavy_import(name, tools):
    command = tools.command(f'benchmark/{name}.py', '--help')
    result = subprocess.run([command[0], '-X', 'importtime', *command[1:]], capture_output=True, text=True)
    assert result.returncode == 0
    assert result.stdout.startswith(f'usage: {name}.py') and '--json' in result.stdout
    imported = {line.rsplit('|')[-1].strip().split('.')[0] for line in result.stderr.splitlines()}
    assert not imported & {'torch', 'numpy', 'cv2', 'mmcv', 'mmdet', 'mmengine', 'rich'}


def test_what_is_wrong_is_said(tools, tmp_path, capsys):
    assert tools.main('benchmark/all.py', '--data-root', tmp_path) == 2
    assert capsys.readouterr().err.startswith(f'There is no {tmp_path}/VOC2007/')
