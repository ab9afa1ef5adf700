"""A real process meets a stack of tiny packages, laid out on disk as pip leaves them and found through PYTHONPATH."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mobilenext_det._stack import check_stack

REPO = Path(__file__).resolve().parents[1]
ORIGINALS = {
    'torch': ('torch', '2.11.0'),
    'torchvision': ('torchvision', '0.26.0'),
    'mmengine': ('mmengine', '0.10.7'),
    'mmcv': ('mmcv', '2.1.0'),
    'mmdet': ('mmdet', '3.3.0'),
}
FORKS = {
    **ORIGINALS,
    'mmengine': ('onedl-mmengine', '0.10.12'),
    'mmcv': ('onedl-mmcv', '2.3.6'),
    'mmdet': ('onedl-mmdetection', '3.5.1'),
}
# What mmdet 3.3.0 says in its __init__.py; the fork says nothing.
MMDET_LIMIT = "mmcv_maximum_version = '2.2.0'\n"


def install(folder: Path, module: str, distribution: str, version: str, source: str = '', operators: bool = True):
    package = folder / module
    package.mkdir(parents=True)
    (package / '__init__.py').write_text(f'raise AssertionError("{module} was imported")\n{source}')
    if module == 'mmcv' and operators:
        (package / '_ext.py').write_text('')
    info = folder / f'{distribution.replace("-", "_")}-{version}.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n')


def make_stack(folder: Path, stack: dict) -> Path:
    for module, (distribution, version) in stack.items():
        install(folder, module, distribution, version, MMDET_LIMIT if distribution == 'mmdet' else '')
    return folder


def run(folder: Path, code: str) -> subprocess.CompletedProcess:
    # -S: only what PYTHONPATH names is installed.
    environment = {**os.environ, 'PYTHONPATH': f'{folder}{os.pathsep}{REPO}', 'PYTHONSAFEPATH': '1'}
    command = [sys.executable, '-S', '-c', code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)


def sentence(folder: Path) -> str:
    """Import the package, which must fail, and return what the user reads."""
    process = run(folder, 'import mobilenext_det')
    assert process.returncode == 1
    *_, last = process.stderr.strip().splitlines()
    assert last.startswith('ImportError: mobilenext_det cannot start: ')
    return last


def passes(folder: Path) -> bool:
    """Import the package, which fails all the same, but only at the imports that follow the check."""
    trace = run(folder, 'import mobilenext_det').stderr
    return 'from mobilenext_det import checkpoints' in trace and 'check_stack()' not in trace


def test_the_installed_stack_passes():
    check_stack()


@pytest.mark.parametrize('stack', [ORIGINALS, FORKS], ids=['originals', 'forks'])
def test_a_stack_that_fits_passes(tmp_path, stack):
    assert passes(make_stack(tmp_path, stack))


def test_nothing_installed_is_one_sentence_with_the_commands(tmp_path):
    tmp_path.mkdir(exist_ok=True)
    message = sentence(tmp_path)
    for module in ORIGINALS:
        assert f'{module} is not installed' in message
    assert (
        'Fix: pip install "torch>=2.0,<3.0" "torchvision>=0.15,<1.0" "mmengine>=0.10,<1.0" "mmdet>=3.3,<4.0" && python '
        in message
    )
    assert message.endswith('build_mmcv.py')
    assert Path(message.rsplit('python ', 1)[1]).is_file()


@pytest.mark.parametrize('module', ORIGINALS)
def test_one_missing_package_is_named_alone(tmp_path, module):
    make_stack(tmp_path, {name: value for name, value in ORIGINALS.items() if name != module})
    message = sentence(tmp_path)
    assert f'{module} is not installed' in message
    assert message.count('installed') == 1


@pytest.mark.parametrize(
    ('module', 'distribution', 'version', 'found'),
    [
        ('torch', 'torch', '1.13.1+cpu', 'torch 1.13.1+cpu is installed (>=2.0,<3.0 is needed)'),
        ('mmengine', 'mmengine', '0.9.1', 'mmengine 0.9.1 is installed (>=0.10,<1.0 is needed)'),
        ('mmdet', 'mmdet', '2.28.2', 'mmdet 2.28.2 is installed (>=3.3,<4.0 is needed)'),
        ('mmcv', 'mmcv', '1.7.2', 'mmcv 1.7.2 is installed (>=2.0,<2.2.0 is needed)'),
        ('mmcv', 'mmcv', '2.2.0', 'mmcv 2.2.0 is installed (>=2.0,<2.2.0 is needed)'),
        ('mmcv', 'onedl-mmcv', '2.3.6', 'onedl-mmcv 2.3.6 is installed (>=2.0,<2.2.0 is needed)'),
    ],
)
def test_a_version_out_of_range_is_named(tmp_path, module, distribution, version, found):
    message = sentence(make_stack(tmp_path, {**ORIGINALS, module: (distribution, version)}))
    assert f'cannot start: {found}. Fix: ' in message
    assert ('build_mmcv.py' in message) == (module == 'mmcv')
    assert (f'pip install "{module}>=' in message) == (module != 'mmcv')


def test_a_patched_mmdet_sets_its_own_limit(tmp_path):
    stack = {name: value for name, value in ORIGINALS.items() if name != 'mmdet'}
    make_stack(tmp_path, {**stack, 'mmcv': ('mmcv', '2.2.0')})
    install(tmp_path, 'mmdet', 'mmdet', '3.3.0', MMDET_LIMIT.replace('2.2', '2.3'))
    assert passes(tmp_path)


def test_mmcv_lite_is_told_from_mmcv(tmp_path):
    make_stack(tmp_path, {name: value for name, value in ORIGINALS.items() if name != 'mmcv'})
    install(tmp_path, 'mmcv', 'mmcv-lite', '2.1.0', operators=False)
    message = sentence(tmp_path)
    assert 'mmcv-lite 2.1.0 is installed without its compiled operators (mmcv._ext)' in message
    assert 'Fix: pip uninstall -y mmcv-lite && python ' in message


def test_a_package_put_on_the_path_by_hand_is_taken_as_it_is(tmp_path):
    make_stack(tmp_path, ORIGINALS)
    for info in tmp_path.glob('mmdet-*'):
        (info / 'METADATA').unlink()
        info.rmdir()
    assert passes(tmp_path)


def test_a_folder_without_code_is_no_package(tmp_path):
    make_stack(tmp_path, {name: value for name, value in ORIGINALS.items() if name != 'mmdet'})
    (tmp_path / 'mmdet').mkdir()
    assert 'mmdet is not installed' in sentence(tmp_path)
