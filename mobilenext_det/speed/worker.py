"""One process that is measured: it opens one subject, and times it whenever it is told to.

    python worker.py FORM THREADS

FORM is a format of exported files, 'pytorch', 'stock' or 'pipeline'. The process answers every line of input, all of
them JSON, with a line: an empty object when it has imported what the form needs; the first line of input is what
the subject is opened with, and is answered by an empty object, too; every further line is a list of items, and is
answered by the `seconds` of each. If something is wrong the answer is an `error`, one sentence.

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
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

import cv2

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / 'mobilenext_det' / 'deploy' / 'runtime.py'

Measure = Callable[[Any], dict[str, float]]  # from an item to seconds, by what took them
Open = Callable[..., Measure]


def importer(form: str, threads: int) -> Open:
    """Import what a form needs, and return what opens a subject of it.

    Args:
        form: See above.
        threads: How many the process may use.
    """
    if form == 'onnx':
        importlib.import_module('onnxruntime')
        runtime = _by_path(RUNTIME)
        return lambda path: _exported(runtime, runtime.Detector(path, threads))
    import torch

    torch.set_num_threads(threads)
    if form == 'pipeline':
        from mobilenext_det.speed.pipeline import time_transforms

        return time_transforms
    from mobilenext_det.deploy import formats, runtime

    if form in formats.FORMATS:
        importlib.import_module(formats.FORMATS[form].engine)
        return lambda path: _exported(runtime, formats.open_exported(path, threads))
    return _open_trained if form == 'pytorch' else _open_stock


def _by_path(path: Path) -> ModuleType:
    """Import a file without its package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _exported(runtime: ModuleType, detector: Any) -> Measure:
    def prepare(file: str) -> Any:
        return detector.fit.prepare(runtime.read_image(file))[None]

    return partial(time_picture, prepare, detector.find, runtime.read_image, detector)


def _open_trained(config: str, checkpoint: str) -> Measure:
    from mobilenext_det.hardware import keep_freed_memory
    from mobilenext_det.inference.detector import Detector

    keep_freed_memory()
    detector = Detector(config, checkpoint)
    return partial(time_picture, *_parts(detector.model), cv2.imread, detector)


def _open_stock(config: str) -> Measure:
    """Open MMDetection's own SSDLite for VOC's 20 classes, as a user of it would.

    Its weights are random, as there are none for VOC. `SSDHead.predict` needs an attribute that it lacks
    (mmdetection#11780).
    """
    import torch
    from mmdet.apis import inference_detector, init_detector
    from mmengine.config import Config

    from mobilenext_det.speed.commands import put_all_to_background

    cfg = Config.fromfile(config)
    cfg.model.bbox_head.num_classes = 20
    torch.manual_seed(0)
    model = init_detector(cfg, device='cpu')
    model.bbox_head.loss_cls = None
    put_all_to_background(model.bbox_head)
    return partial(time_picture, *_parts(model), str, partial(inference_detector, model))


def _parts(model: Any) -> tuple[Callable[[str], Any], Callable[[Any], Any]]:
    """Split MMDetection's `inference_detector` into preparation and network call."""
    import torch
    from mmcv.transforms import Compose
    from mmdet.utils import get_test_pipeline_cfg
    from mmengine.dataset import pseudo_collate

    pipeline = Compose(get_test_pipeline_cfg(model.cfg))
    return lambda file: pseudo_collate([pipeline(dict(img_path=file, img_id=0))]), torch.no_grad()(model.test_step)


def time_picture(
    prepare: Callable[[str], Any],
    find: Callable[[Any], Any],
    read: Callable[[str], Any],
    detect: Callable[[Any], Any],
    file: str,
) -> dict[str, float]:
    """Time a detector on a picture.

    Args:
        prepare: From a picture file to what the network call takes.
        find: The network call: normalisation, network and suppression.
        read: From a picture file to what `detect` takes.
        detect: From a picture to its boxes.
        file: The picture file.

    Returns:
        Seconds of the `network` call, from the `image` in memory to its boxes, and from its `file` to them.
    """
    prepared = prepare(file)
    started = time.perf_counter()
    find(prepared)
    found = time.perf_counter()
    image = read(file)
    decoded = time.perf_counter()
    detect(image)
    ended = time.perf_counter()
    return dict(network=found - started, image=ended - decoded, file=ended - found)


def serve(opener: Open, questions: Iterator[str], answers: TextIO) -> None:
    """Open a subject and time what is asked for.

    The first item of every question is run once more before, as other processes have been running.

    Args:
        opener: What opens the subject.
        questions: Lines of input.
        answers: Where the answers go.
    """
    _say(answers)
    measure = opener(**json.loads(next(questions)))
    _say(answers)
    for line in questions:
        items = json.loads(line)
        _, *seconds = map(measure, (items[0], *items))
        _say(answers, seconds=seconds)


def _say(answers: TextIO, **values: Any) -> None:
    print(json.dumps(values), file=answers, flush=True)


def main() -> int:
    """Serve until the end of input, or say in one sentence what is wrong."""
    sys.path[0] = str(ROOT)  # in the place of this folder, whose modules have names that others may have, too
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # MMDetection prints what it loads
    form, threads = sys.argv[1], int(sys.argv[2])
    cv2.setNumThreads(threads)
    try:
        serve(importer(form, threads), sys.stdin, answers)
    except ValueError as error:  # UserError and DeployError are
        _say(answers, error=' '.join(str(error).split()))
        return 2
    except ImportError as error:
        _say(answers, error=f'{form} cannot be timed here: {" ".join(str(error).split())}.')
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
