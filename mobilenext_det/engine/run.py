"""Training and evaluating a config: what `tools/train.py` and `tools/test.py` call."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import torch
from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults
from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint
from torch import nn

from mobilenext_det.evaluation import ask_for_report

from .config import data_loaders, load_config, require_checkpoint, require_data
from .errors import UsageError
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
        config (str): The config file.
        work_dir (str, optional): Where logs and checkpoints go; by default the config's, or work_dirs/NAME.
        amp (bool): Whether to run the forward pass in lower precision also where the config would not: as mmengine
            does on a GPU, in bfloat16 without one.
        auto_scale_lr (bool): Whether to scale the learning rate by the images of a step over the config's
            ``auto_scale_lr.base_batch_size``.
        resume (str, optional): A checkpoint to continue from, or 'auto' for the last one in ``work_dir``, if there is
            one.
        cfg_options (Sequence[str]): ``key=value`` settings.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        data_root (str, optional): Where the data is, instead of the config's.

    Returns:
        nn.Module: The trained model.

    Raises:
        UsageError: If a file is missing or an option has no effect.
    """
    cfg = _read(config, work_dir, cfg_options, launcher, data_root)
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


def evaluate(
    config: str,
    checkpoint: str | None,
    *,
    model: dict | None = None,
    work_dir: str | None = None,
    out: str | None = None,
    report: str | None = None,
    show: bool = False,
    show_dir: str | None = None,
    wait_time: float = 2,
    cfg_options: Sequence[str] = (),
    launcher: str = 'none',
    data_root: str | None = None,
) -> dict[str, float]:
    """Evaluate a checkpoint, with the arguments of MMDetection's tools/test.py.

    Args:
        config (str): The config file.
        checkpoint (str, optional): The weights; None for a model that has them already.
        model (dict, optional): A model to evaluate in the place of the config's.
        work_dir (str, optional): Where the scores go; by default the config's, or work_dirs/NAME.
        out (str, optional): A .pkl file for the predictions.
        report (str, optional): A folder for the evaluation's report.
        show (bool): Whether to show each image with its detections in a window.
        show_dir (str, optional): A folder below the run's for the images with their detections.
        wait_time (float): Seconds that an image is shown.
        cfg_options (Sequence[str]): ``key=value`` settings.
        launcher (str): 'none', 'pytorch', 'slurm' or 'mpi'.
        data_root (str, optional): Where the data is, instead of the config's.

    Returns:
        dict[str, float]: The scores.

    Raises:
        UsageError: If a file is missing, an option has no effect, or the checkpoint does not fit the config.
    """
    cfg = _read(config, work_dir, cfg_options, launcher, data_root)
    require_data(cfg, 'test_dataloader')
    if checkpoint is not None:
        require_checkpoint(checkpoint)
    if model is not None:
        cfg.model = model
    if out is not None and not out.endswith(('.pkl', '.pickle')):
        raise UsageError(f'--out writes pickled predictions: {out} must end in .pkl or .pickle.')
    if report is not None:
        ask_for_report(cfg, report)
    cfg.load_from = checkpoint
    cfg.resume = False
    if show or show_dir:
        trigger_visualization_hook(cfg, Namespace(show=show, show_dir=show_dir, wait_time=wait_time))
    prepare_launch(cfg)
    runner = Runner.from_cfg(cfg)
    if out is not None:
        runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=out))
    return runner.test()


def _read(
    config: str, work_dir: str | None, cfg_options: Sequence[str], launcher: str, data_root: str | None
) -> Config:
    cfg = load_config(config, cfg_options, data_root)
    cfg.launcher = launcher
    cfg.work_dir = work_dir or cfg.get('work_dir') or os.path.join('work_dirs', Path(config).stem)
    if torch.cuda.is_available():
        for loader in data_loaders(cfg):
            loader.setdefault('pin_memory', True)  # from such memory a GPU copies by itself
    return cfg
