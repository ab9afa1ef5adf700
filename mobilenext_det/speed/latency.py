"""How long trained detectors take for one image: in PyTorch, and in the forms that they are deployed in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.runner import find_latest_checkpoint

from mobilenext_det.comparison.single_run import Job
from mobilenext_det.deploy.export import export, open_exported
from mobilenext_det.deploy.pictures import calibration_images, image_paths
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically
from mobilenext_det.hardware import cpu_name
from mobilenext_det.inference.detector import Detector

LATENCY_FILE = 'latency.json'
EAGER, ONNX, ONNX_INT8 = FORMS = 'eager PyTorch', 'ONNX Runtime', 'ONNX Runtime int8'
_IMAGES, _WARM_UP = 50, 5

Detect = Callable[[np.ndarray], list[dict]]


def measure_latency(jobs: Sequence[Job]) -> None:
    """Measure the first run of every config on the CPU and write `latency.json` into the comparison's folder.

    The time runs from the picture in memory to its boxes: resizing, network and suppression, one image at a time. The
    models and forms take turns at every image, so that whatever else the machine does slows all of them alike. A model
    that cannot be exported is measured in PyTorch alone.

    Args:
        jobs: The runs, whose checkpoints must still be there.

    Raises:
        UsageError: If a checkpoint is gone.
    """
    firsts = [job for job in jobs if job.seed == 0]
    detectors = {(form, job.name): detect for job in firsts for form, detect in _forms(job).items()}
    paths = image_paths(jobs[0].load_config().test_dataloader.dataset)[:_IMAGES]
    images = [cv2.imread(path) for path in paths]
    seconds = {key: [] for key in detectors}
    for image in (*images[:_WARM_UP], *images):
        for key, detector in detectors.items():
            started = time.perf_counter()
            detector(image)
            seconds[key].append(time.perf_counter() - started)
    milliseconds = {form: {} for form in FORMS}
    for (form, name), spent in seconds.items():
        milliseconds[form][name] = round(1000 * float(np.median(spent[-len(images) :])), 3)
    measured = {
        'milliseconds': {form: by_config for form, by_config in milliseconds.items() if by_config},
        'images': len(images),
        'cpu': cpu_name(),
        'threads': torch.get_num_threads(),
    }
    write_atomically((json.dumps(measured, indent=1) + '\n').encode(), Path(jobs[0].out, LATENCY_FILE))


def _forms(job: Job) -> dict[str, Detect]:
    """Return the run's detector in every form that it can be deployed in."""
    cfg = job.load_config()
    checkpoint = job.checkpoint or find_latest_checkpoint(str(job.work_dir))
    if checkpoint is None:
        raise UsageError(
            f'--latency needs a checkpoint of {job.name}, but {job.work_dir} has none: leave --latency out, or delete '
            f'{job.path} to train that run anew.'
        )
    detector = Detector(job.config, checkpoint, cfg_options=job.cfg_options)
    forms: dict[str, Detect] = {EAGER: detector}
    folder, threads = Path(job.out, 'deployed'), torch.get_num_threads()
    try:
        for form, calibration in ((ONNX, None), (ONNX_INT8, calibration_images(cfg))):
            forms[form] = open_exported(str(export(detector, folder, 'onnx', calibration)), threads)
    except UsageError as error:
        print_log(f'{job.name} is measured in PyTorch alone: {error}')
    return forms
