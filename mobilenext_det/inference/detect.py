"""Detection in images, videos and streams: what `tools/detect.py` calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from mobilenext_det.display.drawing import draw_detections, legible_zoom
from mobilenext_det.errors import MachineError, UsageError
from mobilenext_det.files import write_jpeg

from .detector import Detector
from .sources import Source, UnreadableError, find_sources


def detect(detector: Detector, inputs: Sequence[str], out: str, score_thr: float = 0.3) -> tuple[list[dict], list[str]]:
    """Detect objects and write, for each input, a picture or video with its boxes and a JSON file.

    ``NAME.jpg`` gives ``OUT/NAME.jpg`` and ``OUT/NAME.json``, a video ``OUT/NAME.mp4`` and ``OUT/NAME.json``; a name
    that is taken gets a number.

    Args:
        detector: The network.
        inputs: Images, videos, folders of them, which are searched in depth, addresses of images and streams, and
            numbers of cameras. Ctrl-C ends a camera or a stream, and what was seen is kept.
        out: The folder to write to; made if needed.
        score_thr: The lowest score to report.

    Returns:
        What the JSON files hold, 'file', 'width', 'height' and 'detections', for a video
        'fps' and a list of 'frames' with their 'detections'; and a sentence for every input that could not be read.

    Raises:
        UsageError: If an input would be overwritten.
        MachineError: If a video cannot be written.
    """
    results, failures = [], []
    sources = find_sources(inputs)
    targets = _targets(sources, Path(out))
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as progress:
        for source, target in progress.track(list(zip(sources, targets, strict=True)), description='Files'):
            try:
                seen = source.read()
                if isinstance(seen, np.ndarray):
                    found = _detect_in_image(detector, seen, target, score_thr)
                else:
                    found = _detect_in_video(detector, source, seen, target, score_thr, progress)
            except UnreadableError as error:
                failures.append(str(error))
            else:
                result = {'file': source.given, **found}
                _with_ending(target, '.json').write_text(json.dumps(result, indent=1) + '\n')
                results.append(result)
    return results, failures


def _targets(sources: Sequence[Source], out: Path) -> list[Path]:
    """Choose a file to write for every source, its ending left open."""
    out.mkdir(parents=True, exist_ok=True)
    files, taken, targets = {Path(source.given).resolve() for source in sources}, set(), []
    for source in sources:
        name, number = source.stem, 1
        while name in taken:
            number += 1
            name = f'{source.stem}-{number}'
        taken.add(name)
        targets.append(out / name)
        for drawn in (_with_ending(targets[-1], ending) for ending in ('.jpg', '.mp4')):
            if drawn.resolve() in files:
                raise UsageError(f'{drawn} would be overwritten by its own detections: name another folder with --out.')
    return targets


def _with_ending(target: Path, ending: str) -> Path:
    return target.with_name(target.name + ending)


def _detect_in_image(detector: Detector, image: np.ndarray, target: Path, score_thr: float) -> dict:
    detections = detector(image, score_thr)
    drawn = draw_detections(image, detections, detector.classes, legible_zoom(image))
    write_jpeg(drawn, _with_ending(target, '.jpg'), quality=95)
    return {'width': image.shape[1], 'height': image.shape[0], 'detections': detections}


def _detect_in_video(
    detector: Detector, source: Source, video: cv2.VideoCapture, target: Path, score_thr: float, progress: Progress
) -> dict:
    more, image = video.read()
    if not more:
        raise UnreadableError(f'{source.given}: not one frame could be read.')
    (height, width), fps = image.shape[:2], video.get(cv2.CAP_PROP_FPS) or 25.0
    frames: list[dict] = []
    path = str(_with_ending(target, '.mp4'))
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*'mp4v'), fps, (width, height))
    if not writer.isOpened():
        raise MachineError(f'{path} cannot be written: name another folder with --out, with room for a video.')
    # A camera or a stream has no number of frames: Ctrl-C ends it, and what was seen is kept.
    total = video.get(cv2.CAP_PROP_FRAME_COUNT)
    task = progress.add_task(f'{target.name}{" until Ctrl-C" if source.is_live else ""}', total=max(total, 0) or None)
    try:
        while more:
            detections = detector(image, score_thr)
            frames.append({'frame': len(frames), 'detections': detections})
            writer.write(draw_detections(image, detections, detector.classes))
            progress.advance(task)
            more, image = video.read()
    except KeyboardInterrupt:
        if not source.is_live:
            raise
    finally:
        progress.remove_task(task)
        video.release()
        writer.release()
    return {'width': width, 'height': height, 'fps': fps, 'frames': frames}
