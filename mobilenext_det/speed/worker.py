"""One process of the deployment benchmark: it opens one detector, and times it on pictures whenever it is told to.

    python worker.py JOB

JOB is JSON: `form`, `threads`, and `path` of an exported file or `config`, `checkpoint` and `cfg_options` of a trained
detector; stock MMDetection needs neither. A line of input is a round, a JSON list of picture files. Every answer is a
JSON object in one line: `imports_mib` when the detector is open, the `network` and `file` seconds of each picture for
a round, `peak_mib` at the end of input; or `error`, one sentence.

It is run by its path, not with `-m`, and reads `runtime.py` by its path, too: importing the package brings PyTorch and
MMDetection, which would count as ONNX Runtime's memory.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TextIO

import cv2

ROOT = Path(__file__).resolve().parents[2]
STOCK_CONFIG = '.mim/configs/ssd/ssdlite_mobilenetv2-scratch_8xb24-600e_coco.py'


class Subject(NamedTuple):
    """What is timed.

    Attributes:
        prepare: From a picture file to what the network call takes.
        find: The network call: normalisation, network and suppression.
        detect: From a picture file to its boxes.
    """

    prepare: Callable[[str], Any]
    find: Callable[[Any], Any]
    detect: Callable[[str], Any]


def importer(form: str) -> Callable[[dict], Subject]:
    """Import what a form needs, and return what opens a job of it.

    Args:
        form: 'onnx', 'torchscript', 'executorch', 'pytorch' or 'stock'.
    """
    if form == 'onnx':
        importlib.import_module('onnxruntime')
        runtime = _by_path('runtime.py')
        return lambda job: _exported(runtime, runtime.Detector(job['path'], job['threads']))
    if form in ('torchscript', 'executorch'):
        importlib.import_module('torch' if form == 'torchscript' else 'executorch.runtime')
        from mobilenext_det.deploy import formats, runtime

        return lambda job: _exported(runtime, formats.open_exported(job['path'], job['threads']))
    importlib.import_module('mobilenext_det.inference.detector')
    return _open_trained if form == 'pytorch' else _open_stock


def _by_path(name: str) -> ModuleType:
    """Import a file of deploy/ without its package."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, ROOT / 'mobilenext_det' / 'deploy' / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _exported(runtime: ModuleType, detector: Any) -> Subject:
    return Subject(
        lambda file: runtime.prepare(runtime.read_image(file), detector.input_size)[None],
        detector.find,
        lambda file: detector(runtime.read_image(file)),
    )


def _open_trained(job: dict) -> Subject:
    from mobilenext_det.engine.config import load_config
    from mobilenext_det.hardware import keep_freed_memory
    from mobilenext_det.inference.detector import Detector

    _set_torch_threads(job)
    keep_freed_memory()
    detector = Detector(load_config(job['config'], job['cfg_options']), job['checkpoint'])
    return Subject(*_parts(detector.model), lambda file: detector(cv2.imread(file)))


def _open_stock(job: dict) -> Subject:
    import mmdet
    from mmdet.apis import inference_detector
    from mmengine.config import Config

    _set_torch_threads(job)
    model = stock_model(Config.fromfile(Path(mmdet.__file__).parent / STOCK_CONFIG))
    return Subject(*_parts(model), lambda file: inference_detector(model, file))


def stock_model(cfg: Any) -> Any:
    """Build MMDetection's own SSDLite for VOC's 20 classes, as a user of it would.

    Its weights are random, as there are none for VOC. Random weights let every prior of every class through, which no
    trained network does, so all are put down to background: suppression has nothing to do, and stock looks no slower
    than it is. `SSDHead.predict` needs an attribute that it lacks (mmdetection#11780).

    Args:
        cfg: MMDetection's config.
    """
    import torch
    from mmdet.apis import init_detector

    cfg.model.bbox_head.num_classes = 20
    torch.manual_seed(0)
    model = init_detector(cfg, device='cpu')
    model.bbox_head.loss_cls = None
    find_nothing(model.bbox_head)
    return model


def find_nothing(head: Any) -> None:
    """Have an SSD head put every prior down to background, whatever its weights are.

    Args:
        head: The head, each level's scores ending in a convolution with a bias.
    """
    for level in head.cls_convs:
        level[-1].bias.data.view(-1, head.cls_out_channels)[:, -1] = 100.0


def _set_torch_threads(job: dict) -> None:
    import torch

    torch.set_num_threads(job['threads'])


def _parts(model: Any) -> tuple[Callable[[str], Any], Callable[[Any], Any]]:
    """Split MMDetection's `inference_detector` into preparation and network call."""
    import torch
    from mmcv.transforms import Compose
    from mmdet.utils import get_test_pipeline_cfg
    from mmengine.dataset import pseudo_collate

    pipeline = Compose(get_test_pipeline_cfg(model.cfg))
    return lambda file: pseudo_collate([pipeline(dict(img_path=file, img_id=0))]), torch.no_grad()(model.test_step)


def measure(subject: Subject, file: str) -> tuple[float, float]:
    """Time the network call on a picture, and all from its file to its boxes, in seconds."""
    prepared = subject.prepare(file)
    started = time.perf_counter()
    subject.find(prepared)
    found = time.perf_counter()
    subject.detect(file)
    return found - started, time.perf_counter() - found


def serve(subject: Subject, rounds: Iterable[str], answers: TextIO) -> None:
    """Answer every round; its first picture is run once more before, as other processes have been running."""
    for line in rounds:
        files = json.loads(line)
        _, *seconds = (measure(subject, file) for file in (files[0], *files))
        network, whole = zip(*seconds, strict=True)
        _say(answers, network=network, file=whole)
    _say(answers, peak_mib=_memory('VmHWM'))


def _memory(key: str) -> float | None:
    """Read a size in MiB that Linux keeps for this process; None elsewhere.

    The peak that `resource` has is no use: it begins with the size of the process that started this one.
    """
    status = Path('/proc/self/status')
    lines = status.read_text().splitlines() if status.exists() else []
    sizes = [int(line.split()[1]) / 1024 for line in lines if line.startswith(f'{key}:')]
    return sizes[0] if sizes else None


def _say(answers: TextIO, **values: Any) -> None:
    print(json.dumps(values), file=answers, flush=True)


def main() -> int:
    """Do the job that the command line describes, or say in one sentence what is wrong."""
    sys.path[0] = str(ROOT)  # in the place of this folder, whose modules have names that others may have, too
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # MMDetection prints what it loads
    job = json.loads(sys.argv[1])
    cv2.setNumThreads(job['threads'])
    try:
        open_job = importer(job['form'])
        imports = _memory('VmRSS')
        subject = open_job(job)
        _say(answers, imports_mib=imports)
        serve(subject, sys.stdin, answers)
    except (ImportError, ValueError) as error:  # UsageError and DeployError are ValueErrors
        _say(answers, error=' '.join(str(error).split()))
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
