"""What the builder decides before and after the compiler runs; the compilation itself is what `make` does."""

import importlib.util
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TOOL = REPO / 'tools' / 'build_mmcv.py'


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location('build_mmcv', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, TOOL, *arguments]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True)


def test_the_pinned_version_is_the_installed_one(tool):
    assert tool.pinned_version() == metadata.version('mmcv')


def test_a_wheel_in_the_cache_is_taken_as_it_is(tool, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    folder = tool.cache_folder('2.1.0')
    python = f'cp{sys.version_info.major}{sys.version_info.minor}'
    assert re.fullmatch(rf'mmcv-2\.1\.0-torch-{re.escape(metadata.version("torch"))}-{python}-\w+', folder.name)
    folder.mkdir(parents=True)
    (folder / 'mmcv.whl').touch()
    # No compiler is needed then.
    process = run('--version', '2.1.0', '--no-install', XDG_CACHE_HOME=str(tmp_path), CXX='no-such-compiler')
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == str(folder / 'mmcv.whl')


def test_no_compiler_is_one_sentence(tmp_path):
    process = run('--no-install', XDG_CACHE_HOME=str(tmp_path), CXX='no-such-compiler')
    assert process.returncode == 2
    assert process.stderr.startswith('No C++ compiler was found; install g++')
    assert len(process.stderr.splitlines()) == 1
    assert not list(tmp_path.rglob('*.whl'))


def test_no_torch_is_one_sentence(tmp_path):
    # -S: nothing is installed.
    process = subprocess.run([sys.executable, '-S', TOOL, '--no-install'], capture_output=True, text=True, cwd=tmp_path)
    assert process.returncode == 2
    assert process.stderr.startswith('torch is missing in ')
    assert len(process.stderr.splitlines()) == 1


def test_dispatchers_become_one_file_and_kernels_stay(tool, tmp_path):
    folder = tmp_path / 'mmcv' / 'ops' / 'csrc' / 'pytorch'
    (folder / 'cpu').mkdir(parents=True)
    for name in ('nms.cpp', 'ball_query.cpp', 'cpu/nms.cpp'):
        (folder / name).write_text(f'// {name}\n')
    tool.merge_dispatchers(tmp_path)
    assert (folder / 'all_dispatchers.cpp').read_text() == '#include "ball_query.inc"\n#include "nms.inc"\n'
    assert (folder / 'nms.inc').read_text() == '// nms.cpp\n'
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob('*.cpp')) == [
        'all_dispatchers.cpp',
        'cpu/nms.cpp',
    ]


def test_a_log_shows_ten_lines_of_progress(tool, capsys):
    for done in range(1, 58):
        tool.show_progress(done, 57)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0].strip() == 'compiling mmcv 6/57'
    assert lines[-1].strip() == 'compiling mmcv 57/57'


def test_help_is_given_without_torch():
    process = subprocess.run([sys.executable, '-S', TOOL, '--help'], capture_output=True, text=True)
    assert process.returncode == 0
    assert '--no-install' in process.stdout


def test_compiled_operators_compute():
    """The build is used: mmcv's compiled NMS keeps the better of two boxes that overlap, and a third."""
    import torch
    from mmcv.ops import nms

    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30]])
    _, kept = nms(boxes, torch.tensor([0.5, 0.9, 0.7]), iou_threshold=0.5)
    assert kept.tolist() == [1, 2]
