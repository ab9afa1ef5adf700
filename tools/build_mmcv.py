"""Compile mmcv's operators for the installed torch, in about three minutes on two cores.

mmcv has no wheel for a recent torch, and its plain build spends most of its time reading torch's headers once per file
(upstream threads: mmcv#3096, #3263, #3303, #3325). Two things make it short: the headers are compiled once, and fifty
small dispatcher files are compiled as one. If that fails for any reason, the plain build follows.

The wheel is kept in a user cache (`$XDG_CACHE_HOME/mobilenext_det`), keyed by the versions of mmcv, torch and Python.

    python tools/build_mmcv.py                # build or reuse the wheel, install it into the running interpreter
    python tools/build_mmcv.py --no-install   # print the wheel's path only
    python tools/build_mmcv.py --package onedl-mmcv --version 2.3.6   # the maintained fork
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

PINNED = Path(__file__).resolve().parent.parent / 'requirements' / 'mmcv.txt'
PROGRESS = re.compile(r'^\[(\d+)/(\d+)\]')


class BuildError(Exception):
    """What keeps the build from being made, in a sentence."""


def pinned_version() -> str:
    """Return the mmcv version that requirements/mmcv.txt pins."""
    return re.search(r'^mmcv==(\S+)', PINNED.read_text(), re.MULTILINE)[1]


def check_machine() -> None:
    """Raise a BuildError if something that the build needs is missing."""
    if not shutil.which(compiler()):
        raise BuildError('No C++ compiler was found; install g++ (Debian: apt-get install g++) and run this again.')
    if not (header := Path(sysconfig.get_path('include'), 'Python.h')).is_file():
        raise BuildError(f'{header} is missing; install it (Debian: apt-get install python3-dev) and run this again.')


def compiler() -> str:
    """Return the C++ compiler's name."""
    return os.environ.get('CXX', 'c++')


def cache_folder(version: str, package: str = 'mmcv') -> Path:
    """Return the folder that holds the wheel for these versions of mmcv, torch and Python."""
    root = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache')
    torch = importlib.metadata.version('torch')
    python = f'cp{sys.version_info.major}{sys.version_info.minor}'
    return root / 'mobilenext_det' / f'{package}-{version}-torch-{torch}-{python}-{platform.machine()}'


def pip(*arguments: str) -> None:
    """Run this interpreter's pip, quietly."""
    subprocess.run([sys.executable, '-m', 'pip', *arguments, '--quiet', '--disable-pip-version-check'], check=True)


def download(version: str, folder: Path, package: str) -> Path:
    """Download mmcv's source distribution into `folder` and return its path."""
    source_alone = ('--no-deps', '--no-binary=:all:', '--no-build-isolation')
    pip('download', f'{package}=={version}', *source_alone, f'--dest={folder}')
    return next(folder.glob('*.tar.gz'))


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack mmcv's source distribution into `folder` and return the source's root."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter='data')
    return folder / archive.name.removesuffix('.tar.gz')


def merge_dispatchers(source: Path) -> None:
    """Turn the dispatchers (`csrc/pytorch/*.cpp`) into one file, but leave `cpu/`, where names clash."""
    folder = source / 'mmcv' / 'ops' / 'csrc' / 'pytorch'
    includes = []
    for path in sorted(folder.glob('*.cpp')):
        path.rename(path.with_suffix('.inc'))
        includes.append(f'#include "{path.stem}.inc"\n')
    (folder / 'all_dispatchers.cpp').write_text(''.join(includes))


def precompile_headers(folder: Path, environment: dict[str, str]) -> Path:
    """Compile torch's headers once, next to the header that is returned, where g++ looks for the result.

    The flags must be those of the build that follows, otherwise g++ ignores the result without a word. Releases of
    setuptools differ in them, so setuptools is asked.
    """
    from torch.utils.cpp_extension import include_paths

    ask = 'from setuptools._distutils import ccompiler, sysconfig; compiler = ccompiler.new_compiler(); '
    ask += 'sysconfig.customize_compiler(compiler); print(*compiler.compiler_so[1:], sep="\\n")'
    flags = subprocess.run([sys.executable, '-c', ask], env=environment, check=True, capture_output=True, text=True)
    header = folder / 'torch_headers.h'
    header.write_text('#include <torch/extension.h>\n')
    command = [compiler(), *flags.stdout.split()]
    command += ['-std=c++17', '-DTORCH_API_INCLUDE_EXTENSION_H', '-DTORCH_EXTENSION_NAME=_ext']
    command += [f'-I{path}' for path in (*include_paths(), sysconfig.get_path('include'))]
    subprocess.run([*command, '-x', 'c++-header', header, '-o', f'{header}.gch'], check=True)
    return header


def build_fast(source: Path, destination: Path, environment: dict[str, str]) -> None:
    """Build the wheel with one file of dispatchers and precompiled headers."""
    merge_dispatchers(source)
    environment = {**environment, 'CFLAGS': f'{environment.get("CFLAGS", "")} -O2 -g0 -DNDEBUG'}
    header = precompile_headers(source, environment)
    environment['CFLAGS'] += f' -include {header}'
    build_wheel(source, destination, environment)


def build_wheel(source: Path, destination: Path, environment: dict[str, str]) -> None:
    """Build the wheel and show its progress; print the log's end and raise `CalledProcessError` if that fails."""
    command = [sys.executable, 'setup.py', 'bdist_wheel', '--dist-dir', str(destination)]
    log: list[str] = []
    streams = {'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT, 'text': True}
    with subprocess.Popen(command, cwd=source, env=environment, **streams) as process:
        for line in process.stdout:
            log.append(line)
            if match := PROGRESS.match(line):
                show_progress(int(match[1]), int(match[2]))
    if process.returncode:
        sys.stderr.write(''.join(log[-30:]))
        raise subprocess.CalledProcessError(process.returncode, command)


def show_progress(done: int, total: int) -> None:
    """Redraw the line on a terminal; elsewhere print a line for each tenth of the work, so that a log stays short."""
    if sys.stderr.isatty():
        bar = '#' * (30 * done // total)
        print(f'\r  compiling mmcv [{bar:<30}] {done}/{total}', end='\n' if done == total else '', file=sys.stderr)
    elif 10 * done // total > 10 * (done - 1) // total:
        print(f'  compiling mmcv {done}/{total}', file=sys.stderr, flush=True)


def build(version: str, destination: Path, package: str) -> None:
    """Build mmcv's wheel into `destination`, the fast way first and the plain way if that fails."""
    environment = {'MAX_JOBS': str(min(os.cpu_count(), 8)), **os.environ, 'MMCV_WITH_OPS': '1'}
    # Operators for the CPU even where there is a GPU: nothing here needs mmcv's CUDA ones, which need a CUDA toolkit.
    environment['CUDA_VISIBLE_DEVICES'] = ''
    with tempfile.TemporaryDirectory() as folder:
        archive = download(version, Path(folder), package)
        try:
            build_fast(unpack(archive, Path(folder, 'fast')), destination, environment)
            return
        except subprocess.CalledProcessError:
            print('  that failed; building mmcv the plain way (a quarter of an hour).', file=sys.stderr, flush=True)
        build_wheel(unpack(archive, Path(folder, 'plain')), destination, environment)


def cached_wheel(version: str, package: str) -> Path:
    """Return the wheel for this environment, building it first if the cache has none."""
    cache = cache_folder(version, package)
    if not (wheels := list(cache.glob('*.whl'))):
        check_machine()
        started = time.perf_counter()
        print(f'Building {package} {version} (once; the wheel is kept in {cache}).', file=sys.stderr, flush=True)
        cache.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache.parent) as folder:
            build(version, Path(folder), package)
            cache.mkdir(exist_ok=True)
            # A rename, so that a build that is interrupted never leaves half a wheel in the cache.
            wheels = [path.rename(cache / path.name) for path in Path(folder).glob('*.whl')]
        print(f'  built in {time.perf_counter() - started:.0f} s.', file=sys.stderr)
    return wheels[0]


def main() -> int:
    """Build and install, or say in one sentence what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--package', default='mmcv', help='name it is published under (default: mmcv)')
    parser.add_argument('--version', help='mmcv version (default: the one in requirements/mmcv.txt)')
    parser.add_argument('--no-install', action='store_true', help='print the path of the wheel instead')
    arguments = parser.parse_args()
    try:
        provide(arguments.package, arguments.version, arguments.no_install)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def provide(package: str, version: str | None, only_print: bool) -> None:
    """Install the wheel, or print its path.

    Raises:
        BuildError: If it cannot be built.
    """
    for module in ('torch', 'setuptools', 'wheel', 'ninja'):
        if importlib.util.find_spec(module) is None:
            raise BuildError(f'{module} is missing in {sys.executable}; pip install {module} and run this again.')
    version = version or pinned_version()
    try:
        wheel = cached_wheel(version, package)
    except subprocess.CalledProcessError as error:
        raise BuildError(f'{package} {version} could not be built ({error}); its output is above.') from None
    if only_print:
        print(wheel)
    else:
        pip('install', '--no-deps', '--force-reinstall', str(wheel))


if __name__ == '__main__':
    sys.exit(main())
