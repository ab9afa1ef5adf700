"""Detectors of MMDetection, each by its own recipe, made to fit a data set, an input and a length."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mmengine.config import Config

from mobilenext_det.engine.config import innermost_datasets
from mobilenext_det.own_data.config_file import VALIDATIONS
from mobilenext_det.speed.commands import stock_file

from .ssd_head import PredictingSSDHead

_VIEWS = (0.75, 1.25)  # of the input's side, where a recipe changes it from batch to batch
_STRIDE = 32
_WORKERS = 2


@dataclass(frozen=True)
class Peer:
    """A detector of MMDetection, and what its recipe is written for.

    Attributes:
        config: Its config, below MMDetection's.
        batch_size: Images of a step, of all GPUs together, which the rate is for.
        sizes: Pixels in its pipelines, as multiples of the input's side.
    """

    config: str
    batch_size: int
    sizes: Mapping[int, float]


PEERS: Mapping[str, Peer] = MappingProxyType(
    {
        'rtmdet-tiny': Peer('rtmdet/rtmdet_tiny_8xb32-300e_coco.py', 256, {640: 1, 1280: 2}),
        'yolox-tiny': Peer('yolox/yolox_tiny_8xb8-300e_coco.py', 64, {640: 1, 416: 1, -320: -0.5}),
        'ssdlite-mobilenetv2': Peer('ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py', 192, {320: 1}),
    }
)


def peer_config(peer: Peer, own: Config, epochs: int, weights: str | None = None) -> Config:
    """Return MMDetection's config, made to train on the data set of a config that `tools/prepare.py` wrote.

    Changed are data, number of classes, input size, batch size with the rate in proportion, and all that is counted in
    epochs, in proportion. Network, losses, transforms and optimiser stay; batch norm is not synchronised, as one
    process trains. Nothing is loaded but `weights`: the addresses in MMDetection's configs need a network.

    Args:
        peer: The detector.
        own: The other config.
        epochs: Passes over the data.
        weights: A checkpoint for the backbone, of a detector or a classifier whose backbone is called `backbone`.

    Raises:
        UsageError: If MMDetection is installed without its configs.
    """
    path = stock_file(f'configs/{peer.config}')
    size = own.input_size
    found = Config.fromfile(path)
    config = Config(_changed(found.to_dict(), '', lambda key, value: _value(key, value, own, peer)), filename=path)
    config.model.backbone.init_cfg = weights and dict(type='Pretrained', checkpoint=weights, prefix='backbone.')
    for augment in config.model.data_preprocessor.get('batch_augments') or ():
        augment.random_size_range = tuple(int(size * view) // _STRIDE * _STRIDE for view in _VIEWS)
    if config.model.bbox_head.type == 'SSDHead':
        config.model.bbox_head.type = PredictingSSDHead.__name__
        config.custom_imports = dict(imports=[PredictingSSDHead.__module__])
    _set_data(config, own)
    _set_length(config, epochs, steps_of_epoch(own))
    _set_rate(config, own.batch_size / peer.batch_size)
    return config


def steps_of_epoch(own: Config) -> int:
    """Count the steps that an epoch of a config that `tools/prepare.py` wrote has."""
    return math.ceil(count_images(own, 'train') / own.batch_size)


def count_images(own: Config, part: str) -> int:
    """Count the images of a part, 'train', 'val' or 'test', of a config that `tools/prepare.py` wrote."""
    return len(json.loads(Path(own.labels, f'{part}.json').read_text())['images'])


def _value(key: str, value: Any, own: Config, peer: Peer) -> Any:
    if key.startswith('model.'):
        if key.endswith('.num_classes'):
            return len(own.classes)
        return 'BN' if value == 'SyncBN' else value
    if type(value) is int and 'pipeline' in key:
        return int(peer.sizes.get(value, 0) * own.input_size) or value
    return value


def _changed(value: Any, key: str, change: Callable[[str, Any], Any]) -> Any:
    """Return a nested setting, each leaf of which went through `change`, with its dotted key."""
    if isinstance(value, dict):
        return {name: _changed(each, f'{key}.{name}' if key else name, change) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_changed(each, key, change) for each in value)
    return change(key, value)


def _set_data(config: Config, own: Config) -> None:
    for loader, part in (('train', 'train'), ('val', 'val'), ('test', own.judged)):
        labels = str(Path(own.labels, f'{part}.json').resolve())
        setting = config[f'{loader}_dataloader']
        setting.update(batch_size=own.batch_size, num_workers=_WORKERS, persistent_workers=True)
        if setting.dataset.type == 'RepeatDataset':  # for epochs that are long enough on many GPUs
            setting.dataset = setting.dataset.dataset
        for _, dataset in innermost_datasets(setting.dataset):
            images = dict(data_root=own.data_root, data_prefix=dict(img=''))
            dataset.update(images, ann_file=labels, metainfo=dict(classes=tuple(own.classes)))
        if loader != 'train':
            config[f'{loader}_evaluator'].ann_file = labels


def _set_length(config: Config, epochs: int, steps: int) -> None:
    """Bring all that is counted in epochs to another number of them.

    Args:
        config: The config, which is changed.
        epochs: How many.
        steps: Steps of an epoch.
    """
    published = config.train_cfg.max_epochs

    def scale(setting: dict[str, Any], *keys: str) -> None:
        for key in keys:
            if setting.get(key):
                setting[key] = max(1, round(setting[key] * epochs / published))

    for scheduler in config.param_scheduler:
        if scheduler.get('by_epoch', True):
            scale(scheduler, 'begin', 'end', 'T_max')
            scheduler.begin = min(scheduler.begin, scheduler.end - 1)  # of a few epochs, a share may be none
            scheduler.convert_to_iter_based = True
        else:  # the warm-up
            scheduler.end = min(scheduler.end, max(1, steps * epochs // 10))
    for hook in config.custom_hooks:
        scale(hook, 'switch_epoch', 'num_last_epochs')
    interval = max(1, epochs // VALIDATIONS)
    config.train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=epochs, val_interval=interval)
    config.default_hooks.checkpoint = dict(
        type='CheckpointHook', interval=interval, max_keep_ckpts=1, save_best='coco/bbox_mAP'
    )


def _set_rate(config: Config, factor: float) -> None:
    config.optim_wrapper.optimizer.lr *= factor
    for scheduler in config.param_scheduler:
        if 'eta_min' in scheduler:
            scheduler.eta_min *= factor
