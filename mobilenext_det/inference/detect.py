"""Detection in images, folders and videos: what `tools/detect.py` calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from mobilenext_det.datasets.image_check import BrokenImageError, check_complete
from mobilenext_det.display.drawing import draw_detections, legible_zoom
from mobilenext_det.errors import UsageError, UserError

from .detector import Detector

IMAGES = {'.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff'}
VIDEOS = {'.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg'}


class UnreadableError(UserError):
    """An input that is neither an image nor a video, in one sentence."""


def detect(detector: Detector, inputs: Sequence[str], out: str, score_thr: float = 0.3) -> tuple[list[dict], list[str]]:
    """Detect objects in files and write, for each, a picture or video with its boxes and a JSON file.

    ``NAME.jpg`` gives ``OUT/NAME.jpg`` and ``OUT/NAME.json``, a video ``OUT/NAME.mp4`` and ``OUT/NAME.json``; a name
    that is taken gets a number.

    Args:
        detector: The network.
        inputs: Images, videos, and folders of them, which are searched in depth.
        out: The folder to write to; made if needed.
        score_thr: The lowest score to report.

    Returns:
        What the JSON files hold, 'file', 'width', 'height' and 'detections', for a video
        'fps' and a list of 'frames' with their 'detections'; and a sentence for every input that could not be read.

    Raises:
        UsageError: If an input would be overwritten.
    """
    results, failures = [], []
    files = [file for path in inputs for file in _expand(Path(path))]
    targets = _targets(files, Path(out))
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as progress:
        for file, target in progress.track(list(zip(files, targets, strict=True)), description='Files'):
            try:
                if file.suffix.lower() in IMAGES:
                    result = _detect_in_image(detector, file, target, score_thr)
                else:
                    result = _detect_in_video(detector, file, target, score_thr, progress)
            except UnreadableError as error:
                failures.append(str(error))
            else:
                target.with_suffix('.json').write_text(json.dumps(result, indent=1) + '\n')
                results.append(result)
    return results, failures


def _expand(path: Path) -> list[Path]:
    """Return the file itself, or the images and videos in a folder; an empty folder stands for itself."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob('*') if file.suffix.lower() in IMAGES | VIDEOS) or [path]


def _targets(files: Sequence[Path], out: Path) -> list[Path]:
    """Choose a file to write for every file to read."""
    out.mkdir(parents=True, exist_ok=True)
    sources, taken, targets = {file.resolve() for file in files}, set(), []
    for file in files:
        name, number = file.stem, 1
        while name in taken:
            number += 1
            name = f'{file.stem}-{number}'
        taken.add(name)
        target = out / (name + ('.jpg' if file.suffix.lower() in IMAGES else '.mp4'))
        if target.resolve() in sources:
            raise UsageError(f'{target} would be overwritten by its own detections: name another folder with --out.')
        targets.append(target)
    return targets


def _detect_in_image(detector: Detector, file: Path, target: Path, score_thr: float) -> dict:
    try:
        check_complete(str(file))
    except BrokenImageError as error:
        raise UnreadableError(f'{file}: {error}.') from error
    image = cv2.imread(str(file))
    if image is None:
        raise UnreadableError(f'{file}: the file is not an image that can be read.')
    detections = detector(image, score_thr)
    drawn = draw_detections(image, detections, detector.classes, legible_zoom(image))
    cv2.imwrite(str(target), drawn, [cv2.IMWRITE_JPEG_QUALITY, 95])
    return {'file': str(file), 'width': image.shape[1], 'height': image.shape[0], 'detections': detections}


def _detect_in_video(detector: Detector, file: Path, target: Path, score_thr: float, progress: Progress) -> dict:
    video = cv2.VideoCapture(str(file))
    more, image = video.read()
    if not more:
        raise UnreadableError(f'{file}: the file is neither an image nor a video that can be read.')
    (height, width), fps = image.shape[:2], video.get(cv2.CAP_PROP_FPS) or 25.0
    frames: list[dict] = []
    writer = cv2.VideoWriter(str(target), cv2.VideoWriter.fourcc(*'mp4v'), fps, (width, height))
    task = progress.add_task(file.name, total=video.get(cv2.CAP_PROP_FRAME_COUNT))
    while more:
        detections = detector(image, score_thr)
        frames.append({'frame': len(frames), 'detections': detections})
        writer.write(draw_detections(image, detections, detector.classes))
        progress.advance(task)
        more, image = video.read()
    progress.remove_task(task)
    video.release()
    writer.release()
    return {'file': str(file), 'width': width, 'height': height, 'fps': fps, 'frames': frames}
