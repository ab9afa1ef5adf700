"""Run the core of the tests (models, data, evaluation, a training, an export) on the stacks that people have.

Writes docs/platforms.json and, from it, the table in docs/platforms.md. Each stack is a virtual environment in the
folder, made once (about 3 GB and ten minutes each on two cores, most of it mmcv's operators); uv is needed, and each
Python in the PATH.

    python tools/platforms.py --folder /scratch/stacks                 # all stacks
    python tools/platforms.py --folder /scratch/stacks --only forks    # one of them
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from mobilenext import exit_code

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / 'docs' / 'platforms.json'
PAGE = ROOT / 'docs' / 'platforms.md'
MARKS = '<!-- table -->', '<!-- end -->'
CORE = (
    'tests/models',
    'tests/datasets',
    'tests/evaluation',
    'tests/tools/test_train.py::test_a_run_killed_twice_ends_with_the_bits_of_the_uninterrupted_one',
    'tests/tools/test_export.py::test_a_file_is_written_checked_and_run',
    'tests/tools/test_export.py::test_a_torchscript_file_is_written_and_checked',
)
SHOWN = (
    *('torch', 'numpy', 'opencv-python', 'mmengine', 'mmcv', 'mmdet', 'onnx', 'onnxruntime'),
    *('onedl-mmengine', 'onedl-mmcv', 'onedl-mmdetection'),
)


class Stack(NamedTuple):
    """An environment: its Python, what is installed first, and the name and version of the mmcv that is compiled."""

    python: str
    packages: tuple[str, ...]
    mmcv: tuple[str, str] = ('mmcv', '2.1.0')


ORIGINALS = ('mmengine==0.10.7', 'mmdet==3.3.0')
FORKS = ('onedl-mmengine==0.10.12', 'onedl-mmdetection==3.5.1')
STACKS = {
    'torch 2.1': Stack('3.10', ('torch==2.1.2', 'torchvision==0.16.2', 'numpy==1.26.4', *ORIGINALS)),
    'torch 2.4': Stack('3.11', ('torch==2.4.1', 'torchvision==0.19.1', *ORIGINALS)),
    'torch 2.8': Stack('3.12', ('torch==2.8.0', 'torchvision==0.23.0', *ORIGINALS)),
    'torch 2.11': Stack('3.11', ('torch==2.11.0', 'torchvision==0.26.0', *ORIGINALS)),
    'forks': Stack('3.12', ('torch==2.11.0', 'torchvision==0.26.0', *FORKS), ('onedl-mmcv', '2.3.6')),
}


def build(stack: Stack, folder: Path) -> None:
    """Make the environment, if it is not there."""
    done = folder / '.installed'
    if done.exists():
        return
    python = folder / 'bin' / 'python'
    uv('venv', '--quiet', '--allow-existing', '--seed', '--python', stack.python, folder)
    lists = [f'-r{ROOT}/requirements/{name}.txt' for name in ('build', 'runtime')]
    tools = ('onnx', 'onnxruntime', 'onnxscript', 'pytest', 'pytest-xdist', 'hypothesis')
    uv('pip', 'install', '--quiet', '--python', python, *stack.packages, *lists, *tools)
    package, version = stack.mmcv
    command = [python, ROOT / 'tools' / 'build_mmcv.py', '--package', package, '--version', version]
    subprocess.run([str(word) for word in command], check=True)
    done.touch()


def uv(*arguments: str | Path) -> None:
    """Run uv: the one beside this interpreter, or the one in the PATH."""
    beside = Path(sys.executable).parent / 'uv'
    program = str(beside) if beside.exists() else shutil.which('uv')
    if not program:
        from mobilenext_det.errors import UsageError

        raise UsageError('uv was not found: `pip install uv` brings it.')
    subprocess.run([program, *map(str, arguments)], check=True)


def run_core(folder: Path) -> dict[str, Any]:
    """Run the core of the tests; return counts, the names of what failed, and the versions of what was installed."""
    # Installed packages alone, and this checkout: not what else is on the path of whoever runs this.
    variables = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''}
    variables['PATH'] = f'{folder / "bin"}:{variables["PATH"]}'
    command = [folder / 'bin' / 'python', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *CORE]
    process = subprocess.run(list(map(str, command)), cwd=ROOT, env=variables, capture_output=True, text=True)
    (folder / 'core.log').write_text(process.stdout + process.stderr)
    counts = {
        word: int(number) for number, word in re.findall(r'(\d+) (passed|failed|errors?|skipped)', process.stdout)
    }
    failed = re.findall(r'^(?:FAILED|ERROR) (\S+)', process.stdout, re.MULTILINE)
    return dict(exit_code=process.returncode, counts=counts, failed=failed, versions=versions(folder))


def versions(folder: Path) -> dict[str, str]:
    """Return Python's version and those of the packages that matter, under the names they are installed as."""
    code = """
import json, platform
from importlib import metadata
found = {distribution.metadata['Name']: distribution.version for distribution in metadata.distributions()}
print(json.dumps({'python': platform.python_version(), **found}))
"""
    process = subprocess.run([folder / 'bin' / 'python', '-I', '-c', code], capture_output=True, text=True, check=True)
    found = json.loads(process.stdout)
    return {name: found[name] for name in ('python', *SHOWN) if name in found}


def table(record: dict[str, Any]) -> str:
    """Return the table, a row for each stack."""
    lines = ['| stack | Python | packages | passed | failed |', '|:--|:--|:--|--:|--:|']
    for name, result in record.items():
        counts, installed = result['counts'], result['versions']
        packages = ', '.join(f'{key} {value}' for key, value in installed.items() if key != 'python')
        failed = sum(counts.get(word, 0) for word in ('failed', 'error', 'errors'))
        lines.append(f'| {name} | {installed["python"]} | {packages} | {counts.get("passed", 0)} | {failed} |')
    return '\n'.join(lines)


def write(record: dict[str, Any]) -> None:
    """Write the record and, between its marks, the page's table."""
    from mobilenext_det.files import write_atomically

    before, _, rest = PAGE.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    write_atomically(f'{json.dumps(record, indent=2)}\n'.encode(), RECORD)
    write_atomically(f'{before}{MARKS[0]}\n\n{table(record)}\n\n{MARKS[1]}{after}'.encode(), PAGE)


def main() -> int:
    """Build and test each stack; 1 if a test failed on one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--folder', type=Path, required=True, help='where the environments are kept, 3 GB each')
    parser.add_argument('--only', choices=STACKS, action='append', help='a stack, in the place of all; repeatable')
    parser.add_argument('--build-only', action='store_true', help='run no test')
    arguments = parser.parse_args()
    if arguments.folder.exists() and not arguments.folder.is_dir():
        from mobilenext_det.errors import UsageError

        raise UsageError(f'{arguments.folder} is no folder: name one that is to hold the environments.')
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    results = {}
    for name in arguments.only or STACKS:
        folder = arguments.folder.resolve() / name.replace(' ', '-')
        build(STACKS[name], folder)
        if not arguments.build_only:
            results[name] = run_core(folder)
            print(name, results[name]['counts'], *results[name]['failed'], sep='\n  ', flush=True)
    if results:
        merged = {**record, **results}
        write({name: merged[name] for name in STACKS if name in merged})
    return int(any(result['exit_code'] for result in results.values()))


if __name__ == '__main__':
    sys.exit(exit_code(main))
