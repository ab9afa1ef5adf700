"""Reading a config for a tool, and saying at once what is missing or would have no effect."""

from __future__ import annotations

import argparse
import copy
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import DATASETS
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import init_default_scope

from mobilenext_det.errors import UsageError

from .config_files import READ_KEYS, ConfigFiles

_GET_DATA = (
    'get VOC with `python tools/data/download_voc.py --out data/VOCdevkit`, or make a synthetic set with '
    '`python tools/data/make_toy_voc.py --out data/toy` and add `--data-root data/toy`.'
)
_LAY_OUT = 'docs/pretraining.md says how they are laid out; --data-root names another folder.'


def load_config(path: str | Path, cfg_options: Sequence[str] = (), data_root: str | Path | None = None) -> Config:
    """Read a config as a tool's arguments ask for it.

    A name at the top of a config from which others derive, such as ``batch_size``, acts wherever it is given: in a file
    that inherits the config, and as an option (:class:`~mobilenext_det.engine.config_files.ConfigFiles`).

    Args:
        path: The config file.
        cfg_options: ``key=value`` settings to merge into it, as MMDetection's ``--cfg-options``.
        data_root: The folder of the data, in the place of the config's; the option ``data_root=DIR`` does the same.

    Returns:
        The merged config.

    Raises:
        UsageError: If there is no such file, it cannot be run, or a setting would change nothing.
    """
    if not Path(path).is_file():
        raise UsageError(f'There is no config {path}.')
    options = _parse_options(cfg_options)
    root = options.pop('data_root', data_root)
    files = ConfigFiles(path)
    for name, likely in files.misspelt():
        raise UsageError(f'{name} = {files.plain[name]!r} in {path} would change nothing: {likely} is what is read.')
    for name in files.without_effect():
        raise UsageError(
            f'{name} = {files.plain[name]!r} in {path} would change nothing, as a config that it inherits has '
            f'the last word on it: set {", ".join(files.derived(name, files.plain[name]))}.'
        )
    given = {} if root is None or 'data_root' not in files.settings else {'data_root': str(root)}
    for option in [option for option in options if option.split('.')[0] not in READ_KEYS]:
        given[option] = options.pop(option)
        _require_effect(files, option, given[option])
    config = files.resolved(given)
    config.merge_from_dict(options)
    if root is not None:
        _set_data_root(config, str(root))
    for loader in data_loaders(config):
        if not loader.get('num_workers'):
            loader.persistent_workers = False  # without workers torch refuses to keep them
    return config


def _require_effect(files: ConfigFiles, name: str, value: Any) -> None:
    """Refuse an option that is no key of mmengine's, unless others derive from it."""
    if name in files.settings and (value == files.plain[name] or files.acts(name, value, files.plain[name])):
        return
    key = name.split('.')[0]
    if key not in files.plain:
        reason = 'nothing reads it, check its spelling'
    elif keys := name in files.settings and files.derived(name, value):
        reason = f'set {", ".join(keys)}'
    else:
        reason = f'the config derives others from {key}, change it in a copy of {files.path}'
    raise UsageError(f'--cfg-options {name}={value} would change nothing: {reason}.')


def _set_data_root(config: Config, root: str) -> None:
    """Have all data sets read from a folder, those too whose config names another one, if it is the same for all.

    Raises:
        UsageError: If they have several, or their files are not below any; the sentence names the keys.
    """
    found = {
        f'{phase}_dataloader.{key}': dataset
        for phase in ('train', 'val', 'test')
        for key, dataset in innermost_datasets(config.get(f'{phase}_dataloader') or {})
    }
    files = {
        f'{key}.{name}': file
        for key, dataset in found.items()
        for name, file in (('ann_file', dataset.get('ann_file')), *(dataset.get('data_prefix') or {}).items())
    }
    fixed = [key for key, file in files.items() if file and os.path.isabs(file)]
    roots = {dataset.get('data_root') or '' for dataset in found.values()}
    if fixed or len(roots) != 1 or (roots != {root} and '' in roots):
        keys = fixed or [f'{key}.data_root' for key in found]
        raise UsageError(
            f'--data-root {root} cannot take the place of all folders in {config.filename}: set '
            f'{", ".join(keys) or "data sets in it"}.'
        )
    (old,) = roots
    for dataset in found.values():
        dataset.data_root = root
    for phase in ('val', 'test'):
        evaluators = config.get(f'{phase}_evaluator') or []
        for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
            if str(evaluator.get('ann_file', '')).startswith(f'{old.rstrip("/")}/'):
                evaluator.ann_file = os.path.join(root, os.path.relpath(evaluator.ann_file, old))


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
    loaders = {name: config.get(name) for name in (f'{phase}_dataloader' for phase in ('train', 'val', 'test'))}
    for name, loader in loaders.items():
        if not isinstance(loader, dict | None):
            raise UsageError(f'{config.filename}: {name} is {loader!r}, but must be a dict.')
    return [loader for loader in loaders.values() if loader]


def _parse_options(cfg_options: Sequence[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    try:
        return parser.parse_args(['--cfg-options', *cfg_options]).cfg_options
    except ValueError:
        raise UsageError(f'--cfg-options takes key=value pairs, but got {" ".join(cfg_options)}.') from None


def require_data(config: Config, *loaders: str) -> None:
    """Check that the annotation files, or the folders of images for classification, are there.

    Args:
        config: The config.
        loaders: The loaders whose data is needed, such as ``'train_dataloader'``.

    Raises:
        UsageError: If one is missing; the sentence has the commands that get the data.
    """
    for loader in loaders:
        for key, dataset in innermost_datasets(config.get(loader) or {}):
            if not isinstance(dataset.get('ann_file') or '', str):
                raise UsageError(
                    f'{loader}.{key}.ann_file of {config.filename} is {dataset.ann_file!r}: a data set reads one file; '
                    "join several by dict(type='ConcatDataset', datasets=[...]), as ssdlite_mobilenext_voc0712.py does."
                )
            images = dataset.get('type') == 'ImageFolder' and not dataset.get('ann_file')
            below = dataset.data_prefix.img_path if images else dataset.get('ann_file') or ''
            path = os.path.join(dataset.get('data_root') or '', below)
            if '://' not in path and not os.path.exists(path):
                what, advice = ('the images of', _LAY_OUT) if images else ('the list of images in', _get_list(dataset))
                raise UsageError(f'There is no {path}, {what} {config.filename}: {advice}')


def _get_list(dataset: ConfigDict) -> str:
    """Say how to come by a list of images: by itself where the annotations are there."""
    folder = Path(dataset.get('data_root') or '', (dataset.get('data_prefix') or {}).get('sub_data_root') or '')
    folder /= dataset.get('ann_subdir', 'Annotations')
    count = sum(1 for _ in folder.glob('*.xml'))
    return f"ann_file='' of this data set reads all {count} annotations in {folder}." if count else _GET_DATA


def class_lists(config: Config, *loaders: str) -> dict[str, tuple[str, ...]]:
    """Return the class names of data sets as far as they are known before anything is read.

    Args:
        config: The config.
        loaders: The loaders whose data sets are asked, such as ``'train_dataloader'``.

    Returns:
        The names by what a sentence calls the data set.
    """
    init_default_scope(config.get('default_scope', 'mmdet'))
    lists = {}
    for loader in loaders:
        for key, dataset in innermost_datasets(config.get(loader) or {}):
            try:
                metainfo = DATASETS.build({**dataset, 'lazy_init': True, 'pipeline': []}).metainfo
            except TypeError:  # a data set that cannot wait
                continue
            lists[f'{loader}.{key} of {config.filename}'] = tuple(metainfo.get('classes') or ())
    return lists


def innermost_datasets(config: ConfigDict, key: str = '') -> Iterator[tuple[str, ConfigDict]]:
    """Yield the innermost dataset configs of a loader or a wrapper, each with its dotted key."""
    below = f'{key}.' if key else ''
    if 'dataset' in config:
        yield from innermost_datasets(config['dataset'], f'{below}dataset')
    elif 'datasets' in config:
        for index, part in enumerate(config['datasets']):
            yield from innermost_datasets(part, f'{below}datasets.{index}')
    elif config:
        yield key, config
