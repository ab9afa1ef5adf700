"""Training a config: what `tools/train.py` calls."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint
from torch import nn

from mobilenext_det.checkpoints import require_checkpoint, require_same_classes
from mobilenext_det.errors import UsageError

from .build import build_runner
from .config import class_lists, require_data, run_config
from .explain import said
from .launch import prepare_launch
from .precision import ask_for_lower_precision


def train(
    config: Config,
    *,
    work_dir: str | Path | None = None,
    amp: bool = False,
    auto_scale_lr: bool = False,
    resume: str | None = None,
    launcher: str = 'none',
) -> nn.Module:
    """Train a config, with the arguments of MMDetection's tools/train.py.

    Args:
        config: The config, which stays as it is.
        work_dir: Where logs and checkpoints go; by default the config's, or work_dirs/NAME.
        amp: Whether to run the forward pass in lower precision also where the config would not: as mmengine
            does on a GPU, in bfloat16 without one.
        auto_scale_lr: Whether to scale the learning rate by the images of a step over the config's
            ``auto_scale_lr.base_batch_size``.
        resume: A checkpoint to continue from, or 'auto' for the last one in ``work_dir``, if there is one.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.

    Returns:
        The trained model.

    Raises:
        UsageError: If a file is missing or an option has no effect.
    """
    cfg = run_config(config, work_dir, launcher)
    with said(cfg.filename, 'a data set cannot be built as it is set'):
        require_data(cfg, 'train_dataloader', 'val_dataloader')
    if amp:
        ask_for_lower_precision(cfg)
    if auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise UsageError(f'--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in {config.filename}.')
        cfg.auto_scale_lr.enable = True
    last = find_latest_checkpoint(cfg.work_dir) if resume == 'auto' else resume
    if last is not None:  # otherwise there is nothing to resume from, and the config's own load_from counts
        cfg.resume, cfg.load_from = True, last
    if cfg.get('load_from'):
        require_checkpoint(cfg.load_from)
    with said(cfg.filename, 'a data set cannot be built as it is set'):
        require_same_classes(class_lists(cfg, 'train_dataloader', 'val_dataloader'))
    prepare_launch(cfg)
    return build_runner(cfg, 'train', 'val').train()
