"""Training a config: what `tools/train.py` calls."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.runner import Runner, find_latest_checkpoint
from torch import nn

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.errors import UsageError

from .config import read_run_config, require_data
from .launch import prepare_launch


def train(
    config: str,
    *,
    work_dir: str | None = None,
    amp: bool = False,
    auto_scale_lr: bool = False,
    resume: str | None = None,
    cfg_options: Sequence[str] = (),
    launcher: str = 'none',
    data_root: str | None = None,
) -> nn.Module:
    """Train a config, with the arguments of MMDetection's tools/train.py.

    Args:
        config: The config file.
        work_dir: Where logs and checkpoints go; by default the config's, or work_dirs/NAME.
        amp: Whether to run the forward pass in lower precision also where the config would not: as mmengine
            does on a GPU, in bfloat16 without one.
        auto_scale_lr: Whether to scale the learning rate by the images of a step over the config's
            ``auto_scale_lr.base_batch_size``.
        resume: A checkpoint to continue from, or 'auto' for the last one in ``work_dir``, if there is
            one.
        cfg_options: ``key=value`` settings.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.
        data_root: Where the data is, instead of the config's.

    Returns:
        The trained model.

    Raises:
        UsageError: If a file is missing or an option has no effect.
    """
    cfg = read_run_config(config, work_dir, cfg_options, launcher, data_root)
    require_data(cfg, 'train_dataloader', 'val_dataloader')
    if amp:
        on_gpu = torch.cuda.is_available()
        cfg.optim_wrapper.type = 'AmpOptimWrapper' if on_gpu else 'AutocastOptimWrapper'
        cfg.optim_wrapper.dtype = 'float16' if on_gpu else 'bfloat16'
    if auto_scale_lr:
        if 'base_batch_size' not in cfg.get('auto_scale_lr', {}):
            raise UsageError(f'--auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...) in {config}.')
        cfg.auto_scale_lr.enable = True
    last = find_latest_checkpoint(cfg.work_dir) if resume == 'auto' else resume
    if last is not None:  # otherwise there is nothing to resume from, and the config's own load_from counts
        cfg.resume, cfg.load_from = True, last
    if cfg.get('load_from'):
        require_checkpoint(cfg.load_from)
    prepare_launch(cfg)
    return Runner.from_cfg(cfg).train()
