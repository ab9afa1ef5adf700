"""The Makefile's own decisions, on a copy: which Python it takes, what makes it install again, what CI sees."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    environment = {name: value for name, value in os.environ.items() if name not in ('MAKEFLAGS', 'MAKELEVEL')}
    return subprocess.run(
        ['make', *arguments], cwd=folder, env={**environment, **variables}, capture_output=True, text=True
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the set-up depends on, with an installation that is up to date."""
    shutil.copy(REPO / 'Makefile', tmp_path)
    shutil.copytree(REPO / 'requirements', tmp_path / 'requirements')
    for name in ('setup.py', 'pyproject.toml', 'tools/build_mmcv.py', '.venv/bin/uv', '.venv/.installed'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_second_run_has_nothing_to_do(checkout):
    assert make(checkout, '--question', 'setup').returncode == 0


@pytest.mark.parametrize('name', ['requirements/stack.txt', 'requirements/mmcv.txt', 'setup.py', 'tools/build_mmcv.py'])
def test_a_change_of_what_is_installed_installs_again(checkout, name):
    later = (checkout / '.venv/.installed').stat().st_mtime + 10
    os.utime(checkout / name, (later, later))
    process = make(checkout, '--dry-run', 'setup')
    assert 'uv pip install' in process.stdout
    assert 'tools/build_mmcv.py' in process.stdout


@pytest.mark.parametrize('target', ['demo', 'test', 'docs', 'lint'])
def test_every_command_sets_up_first(checkout, target):
    shutil.rmtree(checkout / '.venv')
    commands = make(checkout, '--dry-run', target).stdout
    assert commands.index('-m venv .venv') < commands.index('build_mmcv.py') < commands.rindex('.venv/bin/')


def test_no_python_that_fits_is_one_sentence(checkout):
    shutil.rmtree(checkout / '.venv')
    process = make(checkout, 'setup', PYTHON='/bin/false')
    assert process.returncode == 2
    sentence, outcome = process.stderr.splitlines()
    assert sentence.startswith('Python 3.11 or 3.12 with venv was not found: install one')
    assert outcome.startswith('make: *** ')
    assert not (checkout / '.venv').exists()


def test_a_shim_that_does_not_run_is_passed_over(checkout):
    shutil.rmtree(checkout / '.venv')
    programs = checkout / 'programs'
    programs.mkdir()
    for name, script in {
        'python3.11': 'exit 127',
        'python3.12': 'echo 3.13; exit 1',
        'python3': 'echo "$@"; exit 0',
    }.items():
        (programs / name).write_text(f'#!/bin/sh\n{script}\n')
        (programs / name).chmod(0o755)
    output = make(checkout, '.venv/bin/uv', PATH=f'{programs}:{os.environ["PATH"]}').stdout
    assert output.endswith('-m venv .venv\n')


def test_nothing_names_a_registry_or_locks_a_host():
    for path in (REPO / 'Makefile', REPO / 'pyproject.toml', *(REPO / 'requirements').iterdir()):
        text = path.read_text()
        assert '://' not in text, path
        assert 'index-url' not in text, path


@pytest.mark.parametrize(('ci', 'status'), [('true', 1), ('', 0)])
def test_a_skipped_test_fails_the_run_in_ci_alone(tmp_path, ci, status):
    shutil.copy(REPO / 'tests' / 'fixtures' / 'skipped.py', tmp_path / 'conftest.py')
    (tmp_path / 'test_one.py').write_text('import pytest\ndef test_one(): pytest.skip()\ndef test_two(): pass\n')
    command = [sys.executable, '-m', 'pytest', '-p', 'no:cacheprovider', '-n', '1', '--rootdir', tmp_path, tmp_path]
    process = subprocess.run(
        command, env={**os.environ, 'CI': ci, 'PYTEST_ADDOPTS': ''}, cwd=tmp_path, capture_output=True, text=True
    )
    assert process.returncode == status, process.stdout
    *_, count, closing = process.stdout.splitlines()
    assert count == 'skipped tests: 1'
    assert '1 passed, 1 skipped' in closing
