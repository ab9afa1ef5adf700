"""One run of a comparison from nothing to its JSON file, in a process of its own.

    python -m mobilenext_det.comparison.single_run JOB

JOB is a :class:`Job` as JSON. The process ends when its standard input does, so that it does not outlive a comparison
that is killed.
"""

from __future__ import annotations

import io
import json
import math
import os
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.runner import Runner, find_latest_checkpoint

import mobilenext_det
from mobilenext_det.analysis.complexity import complexity
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.train import train
from mobilenext_det.errors import BadDataError, UsageError
from mobilenext_det.evaluation import Summary, VOCAveragePrecision
from mobilenext_det.hardware import cpu_name

from .outcomes import Outcomes
from .run_record import Run, identify, run_path, write_run

LOSS_POINTS = 100


class Job(NamedTuple):
    """What is to be run.

    Attributes:
        config: The config file.
        seed: Seed of the training, or the place of the checkpoint in the list given.
        checkpoint: Weights to evaluate; None to train.
        out: Folder of the comparison.
        data_root: Where the data is, instead of the config's.
        amp: Whether to train in lower precision.
        cfg_options: `key=value` settings.
    """

    config: str
    seed: int
    checkpoint: str | None
    out: str
    data_root: str | None
    amp: bool
    cfg_options: list[str]

    @property
    def name(self) -> str:
        """Name of the config."""
        return Path(self.config).stem

    @property
    def path(self) -> Path:
        """File of the finished run."""
        return run_path(self.out, self.name, self.seed)

    @property
    def work_dir(self) -> Path:
        """Folder for what the run needs while it lasts."""
        return Path(self.out, 'work', f'{self.name}-seed{self.seed}')

    def load_config(self) -> Config:
        """Read the config as the run uses it."""
        return load_config(self.config, self.cfg_options, self.data_root)


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
        train(
            load_config(job.config, [*job.cfg_options, f'randomness.seed={job.seed}'], job.data_root),
            work_dir=work_dir,
            amp=job.amp,
            resume='auto',
        )
    checkpoint = job.checkpoint or find_latest_checkpoint(work_dir)
    outcomes, summary, weights_bytes = _evaluate(cfg, checkpoint, work_dir)
    history = torch.load(checkpoint, map_location='cpu', weights_only=True) if job.checkpoint is None else None
    run = Run(
        job.name,
        job.seed,
        identity,
        _metrics(summary),
        _curve(history['message_hub']['log_scalars'], cfg) if history else {'loss': [], 'validation': []},
        _training(history['message_hub']['log_scalars'], cfg) if history else None,
        {**complexity(cfg).as_dict(), 'weights_bytes': weights_bytes},
        _environment(),
        outcomes,
    )
    write_run(job.path, run)


def _evaluate(cfg: Config, checkpoint: str, work_dir: str) -> tuple[Outcomes, Summary, int]:
    """Judge a checkpoint on the test images."""
    cfg = cfg.copy()
    cfg.work_dir, cfg.load_from, cfg.resume = work_dir, checkpoint, False
    cfg.experiment_name = f'{Path(work_dir).name}_test'  # mmengine keeps one log a name, and training had one
    runner = Runner.from_cfg(cfg)
    metrics = [m for m in runner.test_evaluator.metrics if isinstance(m, VOCAveragePrecision)]
    if not metrics:
        raise UsageError(f"A comparison needs test_evaluator = dict(type='VOCAveragePrecision') in {cfg.filename}.")
    runner.test()
    file = io.BytesIO()
    torch.save(runner.model.state_dict(), file)
    return Outcomes.of(metrics[0].data, metrics[0].summary), metrics[0].summary, file.getbuffer().nbytes


def _metrics(summary: Summary) -> dict[str, Any]:
    both = ('AP_11points', 'AP_area')
    per_class = {row.name: {ap: _or_none(getattr(row, ap)) for ap in both} for row in summary.classes}
    return {**{f'm{ap}': _or_none(getattr(summary, f'm{ap}')) for ap in both}, 'per_class': per_class}


def _curve(log: dict[str, dict[str, torch.Tensor]], cfg: Config) -> dict[str, list]:
    """Thin the losses that the checkpoint carries to means over stretches, and give validations their iterations."""
    losses = log['train/loss']['log_history'].numpy()
    stretches = np.array_split(losses, min(LOSS_POINTS, len(losses)))
    ends = np.cumsum([len(stretch) for stretch in stretches])
    loss = [[int(end), _digits(stretch.mean())] for end, stretch in zip(ends, stretches, strict=True)]
    last, interval, begin = (cfg.train_cfg.get(key, 1) for key in ('max_iters', 'val_interval', 'val_begin'))
    validated = [step for step in range(begin, last + 1) if step % interval == 0 or step == last]
    scores = (log[f'val/voc/mAP_{mode}']['log_history'].tolist() for mode in ('11points', 'area'))
    validation = [[step, *map(_digits, both)] for step, *both in zip(validated, *scores, strict=True)]
    return {'loss': loss, 'validation': validation}


def _training(log: dict[str, dict[str, torch.Tensor]], cfg: Config) -> dict[str, float]:
    """Sum up the time of the iterations that count; what a kill threw away is not in the checkpoint."""
    seconds = log['train/time']['log_history'].numpy()
    speed = cfg.train_dataloader.batch_size / np.median(seconds)
    return {
        'iterations': len(seconds),
        'seconds': round(float(seconds.sum()), 1),
        'images_per_second': round(float(speed), 2),
    }


def _environment() -> dict[str, Any]:
    return {
        'torch': torch.__version__,
        'mobilenext_det': mobilenext_det.__version__,
        'device': torch.cuda.get_device_name() if torch.cuda.is_available() else 'cpu',
        'cpu': cpu_name(),
        'threads': torch.get_num_threads(),
    }


def _digits(value: float) -> float | None:
    """Five significant digits, which is more than a curve shows."""
    return _or_none(float(f'{value:.5g}'))


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # returns when the parent is gone, and its end of the pipe with it
    os._exit(1)


def main() -> int:
    """Make the run that the command line describes, or say in one sentence what is wrong."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        make_run(Job(**json.loads(sys.argv[1])))
    except (BadDataError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
