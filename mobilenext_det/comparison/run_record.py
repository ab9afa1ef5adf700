"""One finished run of a comparison as a JSON file: small, the same on every machine, and all that a report needs."""

from __future__ import annotations

import copy
import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.config import Config

from mobilenext_det.engine.precision import ask_for_lower_precision, training_dtype
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .bootstrap import MODES, mean_ap, resampled_ap
from .outcomes import Outcomes

FORMAT = 1
# What differs from machine to machine and changes no result: where data is, what the run is called, who loads the data,
# what makes it fast. The arithmetic, which does change it, is told apart.
_MACHINE_KEYS = ('data_root', 'ann_file', 'data_prefix', 'work_dir', 'experiment_name', 'num_workers')
_MACHINE_KEYS += ('acceleration', 'cache_mib')
_WHAT = {
    'config': 'the config',
    'train_images': 'the list of training images',
    'test_images': 'the list of test images',
    'checkpoint': 'the checkpoint, or the weights that training starts from,',
}


class Run(NamedTuple):
    """A finished run.

    Attributes:
        config: Name of the config.
        seed: Seed it was trained with, or the place of its checkpoint in the list given.
        identity: Digests of the config, of the list of test images, of the list of training images, None if it was not
            trained by the comparison, and of the checkpoint, or of the weights that training started from, if any.
        metrics: `mAP_11points` and `mAP_area`, and both APs of every class in `per_class`; None where undefined.
        curve: `loss`, pairs of an iteration and the mean loss up to it, and `validation`, triples of an iteration and
            both mAPs; empty for a checkpoint that was given.
        training: `iterations`, their `seconds`, and `images_per_second`; None for a checkpoint that was given.
        model: `params` and `madds` of the parts and `total`; `weights_bytes`, the size of a file of the weights alone.
        environment: Versions of torch and of this package, device, CPU and its threads.
        outcomes: What AP depends on.
    """

    config: str
    seed: int
    identity: dict[str, str | None]
    metrics: dict[str, Any]
    curve: dict[str, list]
    training: dict[str, float] | None
    model: dict[str, Any]
    environment: dict[str, Any]
    outcomes: Outcomes

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return list(self.metrics['per_class'])


def run_path(out: str | Path, config: str, seed: int) -> Path:
    """Return the file of a run in the folder of its comparison."""
    return Path(out, 'runs', f'{config}-seed{seed}.json')


def write_run(path: Path, run: Run) -> None:
    """Write a run so that the file is whole or not there.

    Args:
        path: The file.
        run: The run.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {'format': FORMAT, **run._asdict(), 'outcomes': run.outcomes.as_dict()}
    lines = ',\n'.join(f'{json.dumps(key)}: {json.dumps(value, allow_nan=False)}' for key, value in record.items())
    write_atomically(f'{{\n{lines}\n}}\n'.encode(), path)


def read_run(path: Path) -> Run:
    """Read a run and check it: its outcomes must give the average precisions that it states.

    Args:
        path: The file.

    Raises:
        UsageError: If the file is damaged.
    """
    try:
        record = json.loads(path.read_text())
        if record.pop('format') != FORMAT:
            raise ValueError('it has another format')
        run = Run(**record | {'outcomes': Outcomes.from_dict(record['outcomes'])})
        _check_metrics(run)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise UsageError(
            f'{path} is not a whole run of this version ({type(error).__name__}: {error}); '
            'delete it and compare again, which makes that run anew.'
        ) from None
    return run


def _check_metrics(run: Run) -> None:
    ap = resampled_ap(run.outcomes, np.ones((len(run.outcomes.objects), 1), np.int32))
    for mode in MODES:
        stated = [run.metrics['per_class'][name][f'AP_{mode}'] for name in run.classes]
        stated.append(run.metrics[f'mAP_{mode}'])
        found = [*ap[mode][:, 0], mean_ap(ap[mode])[0]]
        if not np.allclose(np.array(stated, float), found, rtol=1e-9, atol=1e-12, equal_nan=True):
            raise ValueError(f'its outcomes do not give its AP, {mode}')


def require_same(stored: Run, path: Path, identity: dict[str, str | None]) -> None:
    """Refuse a stored run that another config, other images or another checkpoint gave.

    Args:
        stored: The run.
        path: Its file.
        identity: What it should come from.

    Raises:
        UsageError: If it does not; the sentence says what differs and how to go on.
    """
    changed = [_WHAT[key] for key in _WHAT if stored.identity[key] != identity[key]]
    if changed:
        raise UsageError(
            f'{path} comes from other settings than those of today: {" and ".join(changed)} changed since; restore '
            'them, compare into another --out, or delete the runs of this config to make them anew.'
        )


def identify(config: Config, amp: bool, checkpoint: str | None) -> dict[str, str | None]:
    """Digest what a run's result depends on besides its seed.

    Args:
        config: The merged config.
        amp: Whether it is trained in lower precision.
        checkpoint: Weights that are evaluated instead of trained.
    """
    settings = _without_machine(config.to_dict())
    settings.get('randomness', {}).pop('seed', None)
    text = json.dumps([settings, _arithmetic(config, amp)], sort_keys=True, default=repr)
    return {
        'config': _digest(text.encode()),
        'train_images': None if checkpoint else _digest_lists(config.get('train_dataloader')),
        'test_images': _digest_lists(config.get('test_dataloader')),
        'checkpoint': _digest_files([Path(checkpoint)] if checkpoint else _first_weights(config.to_dict())),
    }


def _arithmetic(config: Config, amp: bool) -> str:
    """Name the type that the forward pass runs in on this machine."""
    config = copy.deepcopy(config)
    if amp:
        ask_for_lower_precision(config)
    return str(training_dtype(config)).removeprefix('torch.')


def _without_machine(value: Any) -> Any:
    if isinstance(value, dict):
        left_out = (*_MACHINE_KEYS, 'persistent_workers')  # follows from num_workers
        return {key: _without_machine(item) for key, item in value.items() if key not in left_out}
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
