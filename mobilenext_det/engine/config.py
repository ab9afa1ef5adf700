"""Reading a config for a tool, and saying at once what is missing or would have no effect."""

from __future__ import annotations

import argparse
import copy
import inspect
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.runner import Runner

from mobilenext_det.errors import UsageError

# Top-level keys that mmengine's Runner looks up: its arguments, and what it reads from the config itself.
_READ_KEYS = {
    *inspect.signature(Runner.__init__).parameters,
    *('activation_checkpointing', 'compile', 'efficient_conv_bn_eval', 'find_unused_parameters', 'model_wrapper_cfg'),
    'sync_bn',
}
_GET_DATA = (
    'get VOC with `python tools/data/download_voc.py --out data/VOCdevkit`, or make a synthetic set with '
    '`python tools/data/make_toy_voc.py --out data/toy` and add `--data-root data/toy`.'
)
DATA_ROOT = 'MOBILENEXT_DATA_ROOT'
_LAY_OUT = 'docs/pretraining.md says how they are laid out; --data-root names another folder.'


def load_config(path: str | Path, cfg_options: Sequence[str] = (), data_root: str | Path | None = None) -> Config:
    """Read a config as a tool's arguments ask for it.

    Args:
        path: The config file.
        cfg_options: ``key=value`` settings to merge into it, as MMDetection's ``--cfg-options``.
        data_root: Where the data is; reaches the file through ``MOBILENEXT_DATA_ROOT``, which is set for this one
            file. The option ``data_root=DIR`` does the same.

    Returns:
        The merged config.

    Raises:
        UsageError: If there is no such file, or an option would change nothing: a value at the top of a config that
            others derive from is used up once the file is read.
    """
    if not Path(path).is_file():
        raise UsageError(f'There is no config {path}.')
    options = _parse_options(cfg_options)
    data_root = options.pop('data_root', data_root)
    with _data_root(data_root):
        config = Config.fromfile(path)
    if data_root is not None and config.get('data_root') != str(data_root):
        raise UsageError(
            f"{path} does not take --data-root: let it say data_root = '{{{{$MOBILENEXT_DATA_ROOT:...}}}}'."
        )
    for option, value in options.items():
        key = option.split('.')[0]
        if key not in _READ_KEYS:
            raise UsageError(f'--cfg-options {option}={value} would change nothing: {_reason(config, key)}')
    config.merge_from_dict(options)
    for loader in data_loaders(config):
        if not loader.get('num_workers'):
            loader.persistent_workers = False  # without workers torch refuses to keep them
    return config


@contextmanager
def _data_root(data_root: str | Path | None) -> Iterator[None]:
    """Set what configs read for the place of their data, and put back what was there; None leaves it."""
    before = os.environ.get(DATA_ROOT)
    if data_root is not None:
        os.environ[DATA_ROOT] = str(data_root)
    try:
        yield
    finally:
        if before is not None:
            os.environ[DATA_ROOT] = before
        elif data_root is not None:
            del os.environ[DATA_ROOT]


def run_config(config: Config, work_dir: str | Path | None, launcher: str) -> Config:
    """Return a copy of a config for one run, with its launcher, its work dir and pinned memory where there is a GPU."""
    cfg = copy.deepcopy(config)
    cfg.launcher = launcher
    cfg.work_dir = str(work_dir or cfg.get('work_dir') or Path('work_dirs', Path(cfg.filename).stem))
    if torch.cuda.is_available():
        for loader in data_loaders(cfg):
            loader.setdefault('pin_memory', True)  # from such memory a GPU copies by itself
    return cfg


def data_loaders(config: Config) -> list[ConfigDict]:
    """Return the data loaders that a config has, of training, validation and test."""
    loaders = (config.get(f'{phase}_dataloader') for phase in ('train', 'val', 'test'))
    return [loader for loader in loaders if loader]


def _parse_options(cfg_options: Sequence[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    try:
        return parser.parse_args(['--cfg-options', *cfg_options]).cfg_options
    except ValueError:
        raise UsageError(f'--cfg-options takes key=value pairs, but got {" ".join(cfg_options)}.') from None


def _reason(config: Config, key: str) -> str:
    if key not in config:
        return f'nothing reads {key}, check its spelling.'
    derived = [path for path, leaf in _leaves(config) if type(leaf) is type(config[key]) and leaf == config[key]]
    instead = f', or set what has its value now: {", ".join(derived)}' if derived else ''
    return f'the config derives others from {key}, change it in a copy of {config.filename}{instead}.'


def _leaves(config: Config) -> Iterator[tuple[str, Any]]:
    """Yield every setting that is read after the config file was, with its dotted name."""
    parts = [(key, value) for key, value in config.items() if key in _READ_KEYS]
    while parts:
        name, value = parts.pop(0)
        if isinstance(value, dict):
            parts.extend((f'{name}.{key}', item) for key, item in value.items())
        elif not isinstance(value, list):
            yield name, value


def require_data(config: Config, *loaders: str) -> None:
    """Check that the annotation files, or the folders of images for classification, are there.

    Args:
        config: The config.
        loaders: The loaders whose data is needed, such as ``'train_dataloader'``.

    Raises:
        UsageError: If one is missing; the sentence has the commands that get the data.
    """
    for loader in loaders:
        for dataset in innermost_datasets(config.get(loader) or {}):
            images = dataset.get('type') == 'ImageFolder' and not dataset.get('ann_file')
            below = dataset.data_prefix.img_path if images else dataset.get('ann_file') or ''
            path = os.path.join(dataset.get('data_root') or '', below)
            if '://' not in path and not os.path.exists(path):
                what, advice = ('the images of', _LAY_OUT) if images else ('the list of images in', _GET_DATA)
                raise UsageError(f'There is no {path}, {what} {config.filename}: {advice}')


def innermost_datasets(config: ConfigDict) -> Iterator[ConfigDict]:
    """Yield the innermost dataset configs of a loader or a wrapper."""
    if 'dataset' in config:
        yield from innermost_datasets(config['dataset'])
    elif 'datasets' in config:
        for part in config['datasets']:
            yield from innermost_datasets(part)
    elif config:
        yield config
