"""Evaluating a checkpoint: what `tools/test.py` calls."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import NamedTuple

from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults
from mmengine.config import Config
from mmengine.dist import is_main_process

from mobilenext_det.checkpoints import require_checkpoint, require_same_classes
from mobilenext_det.errors import UsageError
from mobilenext_det.evaluation import EvaluationSet, Summary, VOCAveragePrecision

from .build import build_runner
from .config import class_lists, require_data, run_config
from .explain import said
from .launch import prepare_launch
from .tta import ask_for_tta


class Evaluation(NamedTuple):
    """How good a network is.

    Attributes:
        scores: All metrics of the config by name, such as 'voc/mAP_11points'.
        summary: What the scores of VOCAveragePrecision come from; None if the config has no such metric.
        data: The objects and detections that it was computed from; likewise.
    """

    scores: dict[str, float]
    summary: Summary | None
    data: EvaluationSet | None


def evaluate(
    config: Config,
    checkpoint: str | Path | None,
    *,
    work_dir: str | Path | None = None,
    out: str | None = None,
    report: str | None = None,
    show: bool = False,
    show_dir: str | None = None,
    wait_time: float = 2,
    tta: bool = False,
    launcher: str = 'none',
) -> Evaluation:
    """Evaluate a checkpoint, with the arguments of MMDetection's tools/test.py.

    Args:
        config: The config, which stays as it is.
        checkpoint: The weights; None for a model that has them already.
        work_dir: Where the scores go; by default the config's, or work_dirs/NAME.
        out: A .pkl file for the predictions.
        report: A folder for the evaluation's report.
        show: Whether to show each image with its detections in a window.
        show_dir: A folder below the run's for the images with their detections.
        wait_time: Seconds that an image is shown.
        tta: Whether several views of each image are merged (:func:`~mobilenext_det.engine.tta.ask_for_tta`).
        launcher: 'none', 'pytorch', 'slurm' or 'mpi'.

    Raises:
        UsageError: If a file is missing, an option has no effect, a report is asked for and the config does not
            evaluate with VOCAveragePrecision, or the checkpoint does not fit the config.
    """
    cfg = run_config(config, work_dir, launcher)
    with said(cfg.filename, 'a data set cannot be built as it is set'):
        require_data(cfg, 'test_dataloader')
    if checkpoint is not None:
        require_checkpoint(str(checkpoint))
    if out is not None and not out.endswith(('.pkl', '.pickle')):
        raise UsageError(f'--out writes pickled predictions: {out} must end in .pkl or .pickle.')
    with said(cfg.filename, 'a data set cannot be built as it is set'):
        require_same_classes(class_lists(cfg, 'test_dataloader'))
    cfg.load_from = None if checkpoint is None else str(checkpoint)
    cfg.resume = False
    if tta:
        ask_for_tta(cfg)
    if show or show_dir:
        trigger_visualization_hook(cfg, Namespace(show=show, show_dir=show_dir, wait_time=wait_time))
    prepare_launch(cfg)
    runner = build_runner(cfg, 'test')
    if out is not None:
        runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=out))
    metrics = runner.test_evaluator.metrics
    voc = next((metric for metric in metrics if isinstance(metric, VOCAveragePrecision)), None)
    if report is not None:
        if voc is None:
            raise UsageError(
                f"A report needs test_evaluator = dict(type='VOCAveragePrecision') in {config.filename}; it has "
                f'{", ".join(type(metric).__name__ for metric in metrics)}.'
            )
        voc.coco = True  # a report has COCO's average precisions, too
    scores = runner.test()
    if voc is None:
        return Evaluation(scores, None, None)
    if report is not None and is_main_process():
        voc.write_report(report, Path(config.filename).stem)
    return Evaluation(scores, voc.summary, voc.data)
