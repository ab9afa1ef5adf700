"""Compile mmcv's operators for the installed torch, in about three minutes on two cores.

mmcv has no wheel for a recent torch, and its plain build spends most of its time reading torch's headers once per file
(upstream threads: mmcv#3096, #3263, #3303, #3325). Two things make it short: the headers are compiled once, and the fifty
small dispatcher files are compiled as one. If that fails for any reason, the plain build follows.

The wheel is kept in a user cache (`$XDG_CACHE_HOME/mobilenext_det`), keyed by the versions of mmcv, torch and Python.

    python tools/build_mmcv.py            # build or reuse the wheel, install it into the running interpreter
    python tools/build_mmcv.py --no-install   # print the wheel's path only
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from pathlib import Path

STACK = Path(__file__).resolve().parent.parent / 'requirements' / 'stack.txt'
PROGRESS = re.compile(r'^\[(\d+)/(\d+)\]')


def pinned_version() -> str:
    """Return the mmcv version that requirements/stack.txt pins."""
    match = re.search(r'^mmcv==(\S+)', STACK.read_text(), re.MULTILINE)
    if not match:
        raise SystemExit(f'{STACK} has no line "mmcv==VERSION"; add it or pass --version.')
    return match.group(1)


def cache_folder(version: str) -> Path:
    """Return the folder that holds the wheel for these versions of mmcv, torch and Python."""
    root = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    torch = importlib.metadata.version('torch')
    python = f'cp{sys.version_info.major}{sys.version_info.minor}'
    return root / 'mobilenext_det' / f'mmcv-{version}-torch-{torch}-{python}-{platform.machine()}'


def pip(*arguments: str) -> None:
    """Run this interpreter's pip, quietly."""
    subprocess.run([sys.executable, '-m', 'pip', *arguments, '--quiet', '--disable-pip-version-check'], check=True)


def fetch_source(version: str, folder: Path) -> Path:
    """Download and unpack mmcv's source distribution into `folder`."""
    pip('download', f'mmcv=={version}', '--no-deps', '--no-binary=:all:', '--no-build-isolation', f'--dest={folder}')
    archive = next(folder.glob('mmcv-*.tar.gz'))
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter='data')
    return folder / archive.name.removesuffix('.tar.gz')


def merge_dispatchers(source: Path) -> None:
    """Turn the dispatchers (`csrc/pytorch/*.cpp`) into one file; the kernels below `cpu/` stay apart, as names clash there."""
    folder = source / 'mmcv' / 'ops' / 'csrc' / 'pytorch'
    includes = []
    for path in sorted(folder.glob('*.cpp')):
        path.rename(path.with_suffix('.inc'))
        includes.append(f'#include "{path.stem}.inc"\n')
    (folder / 'all_dispatchers.cpp').write_text(''.join(includes))


def precompile_headers(folder: Path) -> str:
    """Compile torch's headers once and return the flag that makes g++ use the result.

    The flags must be those of the build that follows, otherwise g++ ignores the file without a word.
    """
    from torch.utils.cpp_extension import include_paths

    header = folder / 'torch_headers.h'
    header.write_text('#include <torch/extension.h>\n')
    flags = sysconfig.get_config_var('CFLAGS').split() + os.environ['CFLAGS'].split()
    flags += ['-fPIC', '-std=c++17', '-DTORCH_API_INCLUDE_EXTENSION_H', '-DTORCH_EXTENSION_NAME=_ext']
    flags += [f'-I{path}' for path in (*include_paths(), sysconfig.get_path('include'))]
    compiler = os.environ.get('CXX', 'c++')
    subprocess.run([compiler, *flags, '-x', 'c++-header', header, '-o', f'{header}.gch'], check=True)
    return f'-include {header}'


def build_wheel(source: Path, destination: Path) -> None:
    """Build the wheel and show one progress line; raise `CalledProcessError` with the log's end printed."""
    command = [sys.executable, 'setup.py', 'bdist_wheel', '--dist-dir', str(destination)]
    log: list[str] = []
    with subprocess.Popen(command, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout:
            log.append(line)
            if match := PROGRESS.match(line):
                show_progress(int(match[1]), int(match[2]))
    if process.returncode:
        sys.stderr.write(''.join(log[-30:]))
        raise subprocess.CalledProcessError(process.returncode, command)


def show_progress(done: int, total: int) -> None:
    """Redraw the line on a terminal; elsewhere print every tenth step, so that a log stays short."""
    if sys.stderr.isatty():
        bar = '#' * (30 * done // total)
        print(f'\r  compiling mmcv [{bar:<30}] {done}/{total}', end='\n' if done == total else '', file=sys.stderr)
    elif done % 10 == 0 or done == total:
        print(f'  compiling mmcv {done}/{total}', file=sys.stderr, flush=True)


def build(version: str, destination: Path) -> None:
    """Build mmcv's wheel into `destination`, the fast way first and the plain way if that fails."""
    environment = {**os.environ}
    os.environ.update(MMCV_WITH_OPS='1', MAX_JOBS=os.environ.get('MAX_JOBS', str(os.cpu_count())))
    for fast in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            try:
                source = fetch_source(version, Path(folder))
                if fast:
                    os.environ['CFLAGS'] = f'{environment.get("CFLAGS", "")} -O2 -g0'
                    merge_dispatchers(source)
                    os.environ['CFLAGS'] += f' {precompile_headers(Path(folder))}'
                build_wheel(source, destination)
                return
            except subprocess.CalledProcessError as error:
                if not fast:
                    raise SystemExit(f'mmcv {version} did not build ({error}); its compiler output is above.') from None
                print('  the fast build failed; building mmcv the plain way (a quarter of an hour).', file=sys.stderr)
            finally:
                os.environ.pop('CFLAGS', None)
                os.environ.update(environment)


def cached_wheel(version: str) -> Path:
    """Return the wheel for this environment, building it first if the cache has none."""
    cache = cache_folder(version)
    if not (wheels := list(cache.glob('*.whl'))):
        if not shutil.which(os.environ.get('CXX', 'c++')):
            raise SystemExit('No C++ compiler was found; install g++ (Debian: apt-get install g++) and run this again.')
        started = time.perf_counter()
        print(f'Building mmcv {version} (once; the wheel is kept in {cache}).', file=sys.stderr, flush=True)
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
            build(version, Path(folder))
            cache.mkdir(exist_ok=True)
            # A rename, so that a build that is interrupted never leaves half a wheel in the cache.
            wheels = [path.rename(cache / path.name) for path in Path(folder).glob('*.whl')]
        print(f'  built in {time.perf_counter() - started:.0f} s.', file=sys.stderr)
    return wheels[0]


def main() -> None:
    """Build or reuse the wheel and install it, unless it is installed already."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--version', help='mmcv version (default: the one in requirements/stack.txt)')
    parser.add_argument('--no-install', action='store_true', help='print the path of the wheel instead')
    arguments = parser.parse_args()
    for module in ('torch', 'setuptools', 'wheel', 'ninja'):
        if importlib.util.find_spec(module) is None:
            raise SystemExit(f'{module} is missing in {sys.executable}; pip install {module} and run this again.')
    wheel = cached_wheel(arguments.version or pinned_version())
    if arguments.no_install:
        print(wheel)
    else:
        pip('install', '--no-deps', '--force-reinstall', str(wheel))


if __name__ == '__main__':
    main()
