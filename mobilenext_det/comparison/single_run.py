"""One run of a comparison from nothing to its JSON file, in a process of its own.

    python -m mobilenext_det.comparison.single_run JOB

JOB is a :class:`~mobilenext_det.comparison.job.Job` as JSON. The process ends when its standard input does, so that it
does not outlive a comparison that is killed.
"""

from __future__ import annotations

import copy
import io
import json
import os
import sys
import threading

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import find_latest_checkpoint

import mobilenext_det
from mobilenext_det.analysis.complexity import build_model, complexity
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.engine.train import train
from mobilenext_det.errors import UsageError, UserError
from mobilenext_det.evaluation import Summary
from mobilenext_det.hardware import cpu_name

from .identity import identify
from .job import Job
from .modes import MODES
from .outcomes import Outcomes
from .run_record import Cost, Curve, Environment, Metrics, Run, Training, none_if_nan, write_run

Log = dict[str, dict[str, torch.Tensor]]
LOSS_POINTS = 100


def make_run(job: Job) -> None:
    """Train where no checkpoint is given, from where an earlier process was stopped; evaluate; write the run.

    The last checkpoint is evaluated, not the one that was best on the test images, whose choice would be in its favour.

    Args:
        job: What to run.

    Raises:
        UsageError: If something is missing, or the config's metric is not VOCAveragePrecision.
    """
    work_dir = str(job.work_dir)
    cfg = job.load_config()
    identity = identify(cfg, job.amp, job.checkpoint)
    if job.checkpoint is None:
        seeded = copy.deepcopy(cfg)
        seeded.merge_from_dict({'randomness.seed': job.seed})
        train(seeded, work_dir=work_dir, amp=job.amp, resume='auto')
    checkpoint = job.checkpoint or find_latest_checkpoint(work_dir)
    if checkpoint is None:
        raise UsageError(f'{work_dir} has no checkpoint after the training: let default_hooks.checkpoint write one.')
    log = _read_log(checkpoint) if job.checkpoint is None else None
    tested = copy.deepcopy(cfg)
    tested.experiment_name = f'{job.work_dir.name}_test'  # mmengine keeps one log a name, and training had one
    evaluation = evaluate(tested, checkpoint, work_dir=work_dir)
    if evaluation.summary is None or evaluation.data is None:
        raise UsageError(f"A comparison needs test_evaluator = dict(type='VOCAveragePrecision') in {cfg.filename}.")
    run = Run(
        job.name,
        job.seed,
        identity,
        _metrics(evaluation.summary),
        _curve(log, cfg) if log else Curve([], []),
        _training(log, cfg) if log else None,
        Cost(complexity(cfg).parts, _weights_bytes(cfg)),
        _environment(),
        Outcomes.of(evaluation.data, evaluation.summary),
    )
    write_run(job.path, run)


def _read_log(checkpoint: str) -> Log:
    """Read the losses, scores and times that a checkpoint carries."""
    return torch.load(checkpoint, map_location='cpu', weights_only=True)['message_hub']['log_scalars']


def _weights_bytes(cfg: Config) -> int:
    """Return the size of a file that holds the weights alone."""
    file = io.BytesIO()
    torch.save(build_model(cfg).state_dict(), file)
    return file.getbuffer().nbytes


def _metrics(summary: Summary) -> Metrics:
    per_class = {row.name: {mode: none_if_nan(getattr(row, f'AP_{mode}')) for mode in MODES} for row in summary.classes}
    return Metrics({mode: none_if_nan(getattr(summary, f'mAP_{mode}')) for mode in MODES}, per_class)


def _curve(log: Log, cfg: Config) -> Curve:
    """Thin the losses to means over stretches, and give validations their iterations."""
    losses = log['train/loss']['log_history'].numpy()
    stretches = np.array_split(losses, min(LOSS_POINTS, len(losses)))
    ends = np.cumsum([len(stretch) for stretch in stretches])
    loss = [(int(end), _digits(stretch.mean())) for end, stretch in zip(ends, stretches, strict=True)]
    last, interval, begin = (cfg.train_cfg.get(key, 1) for key in ('max_iters', 'val_interval', 'val_begin'))
    validated = [step for step in range(begin, last + 1) if step % interval == 0 or step == last]
    at_points, areas = (map(_digits, log[f'val/voc/mAP_{mode}']['log_history'].tolist()) for mode in MODES)
    return Curve(loss, list(zip(validated, at_points, areas, strict=True)))


def _training(log: Log, cfg: Config) -> Training:
    """Sum up the time of the iterations that count; what a kill threw away is not in the checkpoint."""
    seconds = log['train/time']['log_history'].numpy()
    speed = cfg.train_dataloader.batch_size / np.median(seconds)
    return Training(len(seconds), round(float(seconds.sum()), 1), round(float(speed), 2))


def _environment() -> Environment:
    return Environment(
        torch=torch.__version__,
        mobilenext_det=mobilenext_det.__version__,
        device=torch.cuda.get_device_name() if torch.cuda.is_available() else 'cpu',
        cpu=cpu_name(),
        threads=torch.get_num_threads(),
    )


def _digits(value: float) -> float | None:
    """Five significant digits, which is more than a curve shows."""
    return none_if_nan(float(f'{value:.5g}'))


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # returns when the parent is gone, and its end of the pipe with it
    os._exit(1)


def main() -> int:
    """Make the run that the command line describes, or say in one sentence what is wrong."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        make_run(Job(**json.loads(sys.argv[1])))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
