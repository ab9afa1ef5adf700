"""The config and the checkpoint that a detector is made of: of a training, or of the one that comes along."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mmengine.runner import find_latest_checkpoint

from mobilenext_det._mim import MIM, config_path
from mobilenext_det.errors import UsageError


class RunFiles(NamedTuple):
    """What a training leaves that a detector is made of."""

    config: Path
    checkpoint: Path


def run_files(work_dir: str | Path) -> RunFiles:
    """Find the config that a training wrote and its best checkpoint, or the last one if none was validated.

    Args:
        work_dir: Where the training wrote its logs and checkpoints.

    Raises:
        UsageError: If the folder holds no training, or several.
    """
    folder = Path(work_dir)
    configs = sorted(folder.glob('*.py'))
    if len(configs) != 1:
        found = f'{len(configs)} configs ({", ".join(path.name for path in configs)})' if configs else 'no config'
        raise UsageError(f'{folder} holds {found}, not one training: name the work dir that tools/train.py printed.')
    best = sorted(folder.glob('best_*.pth'), key=lambda path: path.stat().st_mtime)
    last = find_latest_checkpoint(str(folder))
    if not best and last is None:
        raise UsageError(f'{folder} holds no checkpoint yet: train it to its first one.')
    return RunFiles(configs[0], best[-1] if best else Path(str(last)))


def shipped_files() -> RunFiles:
    """Return those of the detector that comes with the package: MobileNeXt, trained on Pascal VOC's twenty classes."""
    config = Path(config_path('finetune/ssdlite_mobilenext_voc_30e.py'))
    return RunFiles(config, MIM / 'checkpoints' / 'ssdlite_mobilenext_voc_30e-d385a4fb.pth')
