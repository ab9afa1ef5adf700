"""The check that the MMDetection stack is there and fits, made before anything of it is imported.

A stack that does not fit fails deep inside otherwise: mmdet 3.3.0 raises a bare AssertionError for mmcv 2.2, and mmcv
without its compiled operators a ModuleNotFoundError for `mmcv._ext` (mmcv#3096, mmdetection#12312). Nothing is imported
here: versions are read from the metadata of the distributions, the originals and their maintained forks.
"""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import NamedTuple

from mobilenext_det._mim import MIM


class Package(NamedTuple):
    """A package of the stack: the module, the names it is published under, and the versions that fit."""

    module: str
    distributions: tuple[str, ...]
    lowest: str
    below: str


STACK = (
    Package('torch', ('torch',), '2.0', '3.0'),
    Package('torchvision', ('torchvision',), '0.15', '1.0'),
    Package('mmengine', ('mmengine', 'mmengine-lite', 'onedl-mmengine'), '0.10', '1.0'),
    Package('mmcv', ('mmcv', 'mmcv-lite', 'onedl-mmcv'), '2.0', '3.0'),
    Package('mmdet', ('mmdet', 'onedl-mmdetection'), '3.3', '4.0'),
)


def check_stack() -> None:
    """Raise one sentence that names what was found, what is needed and the command that mends it.

    Raises:
        ImportError: If a package of the stack is missing or out of range, or mmcv has no compiled operators.
    """
    faults = {}
    for package in STACK:
        if package.module == 'mmcv':
            package = package._replace(below=_mmcv_limit() or package.below)
        if fault := _fault(package):
            faults[package] = fault
    if faults:
        raise ImportError(f'mobilenext_det cannot start: {"; ".join(faults.values())}. Fix: {_fix(list(faults))}')


def _fault(package: Package) -> str | None:
    """Say what is wrong with `package`; None if it fits."""
    needed = f'>={package.lowest},<{package.below} is needed'
    spec = _find(package.module)
    if spec is None:
        return f'{package.module} is not installed ({needed})'
    name, version = _installed(package)
    # A package put on sys.path by hand has no metadata: its version is unknown, and it is taken as it is.
    if version and not _numbers(package.lowest) <= _numbers(version) < _numbers(package.below):
        return f'{name} {version} is installed ({needed})'
    if package.module == 'mmcv' and PathFinder.find_spec('mmcv._ext', spec.submodule_search_locations) is None:
        return f'{name} {version or ""} is installed without its compiled operators (mmcv._ext)'
    return None


def _find(module: str) -> ModuleSpec | None:
    """Find a top-level module without importing it; a mere folder of that name does not count."""
    spec = importlib.util.find_spec(module)
    return spec if spec and spec.origin else None


def _installed(package: Package) -> tuple[str, str | None]:
    """Return the name and version under which `package` is installed."""
    for name in package.distributions:
        try:
            return name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return package.module, None


def _mmcv_limit() -> str | None:
    """Read from mmdet's source which mmcv it refuses: the limit differs between mmdet, patched copies and its fork."""
    spec = _find('mmdet')
    if spec is None or spec.origin is None:
        return None
    match = re.search(
        r"^mmcv_maximum_version = '([\d.]+)'", Path(spec.origin).read_text(encoding='utf-8'), re.MULTILINE
    )
    return match[1] if match else None


def _numbers(version: str) -> tuple[int, int]:
    """Return major and minor number, which is all that the ranges speak of."""
    major, minor, *_ = (*re.findall(r'\d+', version), '0')
    return int(major), int(minor)


def _fix(packages: list[Package]) -> str:
    """Return the shell command that installs `packages`; mmcv has no wheel for a recent torch and is compiled."""
    commands = []
    if wheels := [f'"{p.module}>={p.lowest},<{p.below}"' for p in packages if p.module != 'mmcv']:
        commands.append(f'pip install {" ".join(wheels)}')
    if any(p.module == 'mmcv' for p in packages):
        # mmcv-lite owns the same files: removed later, it would take mmcv's with it.
        if any(d.metadata['Name'] == 'mmcv-lite' for d in metadata.distributions()):
            commands.append('pip uninstall -y mmcv-lite')
        commands.append(f'python {MIM / "tools" / "build_mmcv.py"}')
    return ' && '.join(commands)
