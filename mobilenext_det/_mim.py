"""The files that travel with the package in `.mim`: configs, weights, tools, requirements and model-index.yml."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# setup.py makes `.mim` for every installation; in a checkout merely on sys.path, the files stand beside the package.
MIM = _PACKAGE / '.mim' if (_PACKAGE / '.mim').is_dir() else _PACKAGE.parent


def config_path(name: str) -> str:
    """Return the path of one of our configs, so that a config anywhere can inherit from it.

    mmengine resolves `_base_ = 'package::file.py'` by a fixed table of OpenMMLab's own packages, but it evaluates the
    right-hand side of `_base_` as an expression. This line therefore works with every tool that reads a config, stock
    `tools/train.py` included::

        _base_ = __import__('mobilenext_det').config_path('ssdlite_mobilenext_voc.py')

    Args:
        name: Path below `configs/`, as in `'ssdlite_mobilenext_voc.py'` or `'_base_/models/ssdlite_mobilenext.py'`.

    Returns:
        The absolute path of the config.

    Raises:
        FileNotFoundError: If there is no such config; the message names those that there are.
    """
    configs = MIM / 'configs'
    path = configs / name
    if not path.is_file():
        known = ', '.join(sorted(str(p.relative_to(configs)) for p in configs.rglob('*.py')))
        raise FileNotFoundError(f'{configs} has no config "{name}"; choose one of: {known}.')
    return str(path)
