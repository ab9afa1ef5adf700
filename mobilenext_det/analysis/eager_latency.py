"""How long trained detectors take for one image, as PyTorch runs them without any export."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.registry import DATASETS
from mmengine.runner import find_latest_checkpoint

from mobilenext_det.engine import UsageError
from mobilenext_det.engine.atomic import write_atomically
from mobilenext_det.engine.detector import Detector

from .single_run import Job, cpu_name

LATENCY_FILE = 'latency.json'
_IMAGES, _WARM_UP = 50, 5


def measure_latency(jobs: Sequence[Job]) -> None:
    """Measure the first run of every config on the CPU and write `latency.json` into the comparison's folder.

    The time runs from the picture in memory to its boxes: resizing, network and suppression, one image at a time. The
    models take turns at every image, so that whatever else the machine does slows all of them alike.

    Args:
        jobs: The runs, whose checkpoints must still be there.

    Raises:
        UsageError: If a checkpoint is gone.
    """
    detectors = {job.name: _detector(job) for job in jobs if job.seed == 0}
    dataset = DATASETS.build(jobs[0].load_config().test_dataloader.dataset)
    paths = [dataset.get_data_info(index)['img_path'] for index in range(min(_IMAGES, len(dataset)))]
    images = [cv2.imread(path) for path in paths]
    seconds = {name: [] for name in detectors}
    for image in (*images[:_WARM_UP], *images):
        for name, detector in detectors.items():
            started = time.perf_counter()
            detector(image)
            seconds[name].append(time.perf_counter() - started)
    measured = {
        'milliseconds': {name: round(1000 * float(np.median(s[-len(images) :])), 3) for name, s in seconds.items()},
        'images': len(images),
        'form': 'eager PyTorch',
        'cpu': cpu_name(),
        'threads': torch.get_num_threads(),
    }
    write_atomically((json.dumps(measured, indent=1) + '\n').encode(), Path(jobs[0].out, LATENCY_FILE))


def _detector(job: Job) -> Detector:
    job.load_config()  # tells the config of the detector where the data is
    checkpoint = job.checkpoint or find_latest_checkpoint(str(job.work_dir))
    if checkpoint is None:
        raise UsageError(
            f'--latency needs a checkpoint of {job.name}, but {job.work_dir} has none: leave --latency out, or delete '
            f'{job.path} to train that run anew.'
        )
    return Detector(job.config, checkpoint, cfg_options=job.cfg_options)
