"""Evaluating a checkpoint: what `tools/test.py` calls."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults
from mmengine.runner import Runner

from mobilenext_det.checkpoints import require_checkpoint
from mobilenext_det.errors import UsageError
from mobilenext_det.evaluation import ask_for_report

from .config import read_run_config, require_data
from .launch import prepare_launch


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
        config: The config file.
        checkpoint: The weights; None for a model that has them already.
        model: A model to evaluate in the place of the config's.
        work_dir: Where the scores go; by default the config's, or work_dirs/NAME.
        out: A .pkl file for the predictions.
        report: A folder for the evaluation's report.
        show: Whether to show each image with its detections in a window.
        show_dir: A folder below the run's for the images with their detections.
        wait_time: Seconds that an image is shown.
        cfg_options: ``key=value`` settings.
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.
        data_root: Where the data is, instead of the config's.

    Returns:
        The scores.

    Raises:
        UsageError: If a file is missing, an option has no effect, or the checkpoint does not fit the config.
    """
    cfg = read_run_config(config, work_dir, cfg_options, launcher, data_root)
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
