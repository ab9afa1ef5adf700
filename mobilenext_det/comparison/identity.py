"""What a run comes from, as digests: two runs with the same differ in their seed alone."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from mobilenext_det._mim import MIM
from mobilenext_det.analysis.complexity import build_model
from mobilenext_det.engine.precision import ask_for_lower_precision, training_dtype

# What differs from machine to machine and changes no result: where data is, what the run is called, who loads the data,
# what makes it fast. The arithmetic, which does change it, is told apart.
_MACHINE_KEYS = (
    *('data_root', 'ann_file', 'data_prefix', 'work_dir', 'experiment_name'),
    *('num_workers', 'persistent_workers', 'acceleration', 'cache_mib'),
)
_HOME = (MIM / 'configs').resolve().parent  # what the configs' paths lie below: in a checkout `.mim` holds links
_READ = frozenset(inspect.signature(Runner).parameters)  # the rest is what configs build these from


@dataclass(frozen=True)
class Identity:
    """Digests of what a run's result depends on besides its seed.

    Attributes:
        config: Of the config.
        train_images: Of the list of training images; None if the run was not trained by the comparison.
        test_images: Of the list of test images.
        checkpoint: Of the checkpoint, or of the weights that training started from, if any.
    """

    config: str
    train_images: str | None
    test_images: str
    checkpoint: str | None


def identify(config: Config, amp: bool, checkpoint: str | None) -> Identity:
    """Digest what a run's result depends on besides its seed.

    Args:
        config: The merged config.
        amp: Whether it is trained in lower precision.
        checkpoint: Weights that are evaluated instead of trained.
    """
    return Identity(
        config=digest_config(config, _arithmetic(config, amp)),
        train_images=None if checkpoint else _digest_lists(config.get('train_dataloader')),
        test_images=_digest_lists(config.get('test_dataloader')),
        checkpoint=_digest_files([Path(checkpoint)] if checkpoint else _first_weights(config.to_dict())),
    )


def digest_config(config: Config, arithmetic: str) -> str:
    """Digest the settings that change a result.

    Args:
        config: The merged config.
        arithmetic: The type that the forward pass of training runs in.
    """
    settings = {key: item for key, item in _without_machine(_with_channels(config)).items() if key in _READ}
    settings.get('randomness', {}).pop('seed', None)
    return _digest(json.dumps([settings, arithmetic], sort_keys=True, default=repr).encode())


def _with_channels(config: Config) -> dict[str, Any]:
    """Spell out what the parts of an SSDLite ask one another for, as configs of earlier runs do: it is the same run."""
    settings = config.to_dict()
    model = settings.get('model', {})
    if model.get('type') == 'SSDLite':
        network: Any = build_model(config)  # attributes of a module are Tensor | Module to torch
        features = getattr(network.backbone, 'feature_info', ())
        model['type'] = 'SingleStageDetector'
        model['neck'].setdefault('in_channels', [feature['channels'] for feature in features])
        model['bbox_head'].setdefault('in_channels', network.bbox_head.in_channels)
    return settings


def _arithmetic(config: Config, amp: bool) -> str:
    """Name the type that the forward pass runs in on this machine."""
    config = copy.deepcopy(config)
    if amp:
        ask_for_lower_precision(config)
    return str(training_dtype(config)).removeprefix('torch.')


def _without_machine(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_machine(item) for key, item in value.items() if key not in _MACHINE_KEYS}
    if isinstance(value, str) and os.path.isabs(value):  # a file that comes with the configs lies elsewhere elsewhere
        return os.path.realpath(value).removeprefix(f'{_HOME}{os.sep}')
    return [_without_machine(item) for item in value] if isinstance(value, list | tuple) else value


def _digest_lists(loader: Any) -> str:
    """Digest the words of a loader's annotation files: the names of its images, in VOC's layout."""
    words = [Path(path).read_text().split() for path in _annotation_files(loader)]
    return _digest(json.dumps(words).encode())


def _annotation_files(loader: Any) -> list[Path]:
    found = (part for part in _dicts(loader) if part.get('ann_file'))
    return [Path(part.get('data_root') or '', part['ann_file']) for part in found]


def _first_weights(config: Any) -> list[Path]:
    """Return the files that training starts from: those of `init_cfg` and `load_from`, if they are there."""
    named = (part.get(key) for part in _dicts(config) for key in ('checkpoint', 'load_from'))
    return [Path(name) for name in named if isinstance(name, str) and Path(name).is_file()]


def _dicts(value: Any) -> Iterator[dict]:
    """Yield a dict and all dicts inside it, the outer ones first."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _dicts(item)


def _digest_files(files: list[Path]) -> str | None:
    return _digest(b''.join(file.read_bytes() for file in files)) if files else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
