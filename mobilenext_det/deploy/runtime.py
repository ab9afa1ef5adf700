"""Run an exported detector with numpy, OpenCV and ONNX Runtime alone; this file needs nothing else of its package.

`tools/export.py` writes a copy of it beside the model, as importing the package would bring PyTorch and MMDetection.

    python runtime.py model.onnx picture.jpg ...

    from runtime import Detector
    detector = Detector('model.onnx')
    detector(cv2.imread('picture.jpg'))  # [{'class': 'dog', 'score': 0.9312, 'box': [48.1, 240.9, 195.3, 371.0]}, ...]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

# One run of the network: pictures in, its outputs out.
Run = Callable[[np.ndarray], Sequence[np.ndarray]]

_SEAL = b'rJ\n\x06sha256\x12@'  # the entry 'sha256' of a model's metadata; 64 digits follow
_CHANGED = (
    '{} is not as tools/export.py wrote it, but damaged or changed by another tool: export it again, or remove sha256 '
    'from its metadata if the change is wanted.'
)


class DeployError(ValueError):
    """Something that a person can mend, in one sentence that names the file, the value and the fix."""


class Fit(NamedTuple):
    """How a picture is brought to a network's input size.

    Attributes:
        width: Of the input, in pixels.
        height: Likewise.
        padding: RGB colour of what is right of and below a picture that keeps its aspect ratio; None: it is stretched.
    """

    width: int
    height: int
    padding: tuple[int, int, int] | None = None

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Fit a picture (H, W, 3) in BGR to a network's input (height, width, 3) in RGB.

        Raises:
            DeployError: If it is no such array.
        """
        if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.shape[2:] != (3,) or not image.size:
            what = f'{image.dtype} {image.shape}' if isinstance(image, np.ndarray) else type(image).__name__
            raise DeployError(
                f'A picture must be a uint8 array (H, W, 3) in BGR, as cv2.imread gives it, but got {what}.'
            )
        width, height = self.inner_size(image.shape)
        fitted = cv2.cvtColor(cv2.resize(image, (width, height)), cv2.COLOR_BGR2RGB)
        if self.padding is None:
            return fitted
        canvas = np.empty((self.height, self.width, 3), np.uint8)
        canvas[:] = self.padding
        canvas[:height, :width] = fitted
        return canvas

    def restore(self, boxes: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """Turn corners (k, 4) from shares of the input into pixels of the picture, whose shape is (H, W, ...)."""
        width, height = self.inner_size(shape)
        size = shape[1] * self.width / width, shape[0] * self.height / height
        return boxes * np.array([*size, *size], np.float32)

    def inner_size(self, shape: Sequence[int]) -> tuple[int, int]:
        """Return width and height of a picture of shape (H, W, ...) once it is fitted, padding not included."""
        if self.padding is None:
            return self.width, self.height
        height, width = shape[:2]
        ratio = min(self.width / width, self.height / height)
        return max(int(width * ratio + 0.5), 1), max(int(height * ratio + 0.5), 1)  # as mmcv rounds


def as_input(pictures: np.ndarray, float_input: bool) -> np.ndarray:
    """Turn fitted pictures, uint8 (N, height, width, 3), into a network's input: with `float_input` NCHW, float32."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2), np.float32) if float_input else pictures


class Found(NamedTuple):
    """Detections in one picture, best first.

    Attributes:
        boxes: (k, 4) corners (x1, y1, x2, y2) as shares of the input's width and height.
        scores: (k,) confidences.
        labels: (k,) indices of the classes.
    """

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


class Detector:
    """An exported detector as a function from a picture to its detections.

    Args:
        path: The ONNX file.
        threads: Threads for one picture; None leaves the choice to ONNX Runtime.
        providers: ONNX Runtime's execution providers, the first that can run an operator runs it.

    Attributes:
        classes: Names of the classes.
        fit: How a picture is brought to the network's input size.

    Raises:
        DeployError: If the file is missing, damaged or not written by `tools/export.py`, or a provider is not there.
    """

    def __init__(
        self, path: str, threads: int | None = None, providers: Sequence[str] = ('CPUExecutionProvider',)
    ) -> None:
        if not Path(path).is_file():
            raise DeployError(f'There is no model {path}.')
        self.path = str(path)
        description, self._run = self._open(threads, providers)
        if not isinstance(description, dict) or 'classes' not in description:
            raise DeployError(f'{path} does not say what its classes are: write it with tools/export.py.')
        self.classes = tuple(description['classes'])
        size, padding = description['input_size'], description.get('padding')
        width, height = size if isinstance(size, list) else (size, size)
        self.fit = Fit(width, height, tuple(padding) if padding else None)
        self._float_input = description.get('float_input', False)
        self._batch = description.get('batch')
        self._score_threshold = description['score_threshold']
        self._iou_threshold = description['iou_threshold']
        self._max_detections = description['max_detections']

    def _open(self, threads: int | None, providers: Sequence[str]) -> tuple[dict[str, Any] | None, Run]:
        """Return what the file says about itself, and the function that runs it."""
        import onnxruntime

        missing = sorted(set(providers) - set(onnxruntime.get_available_providers()))
        if missing:
            raise DeployError(
                f'Provider {missing[0]} is not available here, only {", ".join(onnxruntime.get_available_providers())}:'
                f' name one of these, or install the onnxruntime package that has {missing[0]}.'
            )
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        sealed = _is_sealed(self.path)
        try:
            session = onnxruntime.InferenceSession(self.path, options, list(providers))
        except Exception as error:  # of many types, all from its compiled part
            reason = ' '.join(str(error).split())
            raise DeployError(
                f'{self.path} is no ONNX model that can be run here ({reason}): export it again.'
            ) from None
        metadata = session.get_modelmeta().custom_metadata_map
        if 'sha256' in metadata and not sealed:
            raise DeployError(_CHANGED.format(self.path))
        (images,) = session.get_inputs()
        return _parse(metadata), lambda batch: session.run(None, {images.name: batch})

    def __call__(self, image: np.ndarray, score_thr: float = 0.3) -> list[dict]:
        """Detect objects in a picture.

        Args:
            image: The picture, (H, W, 3), BGR, uint8, as `cv2.imread` gives it.
            score_thr: The lowest score to report.

        Returns:
            Surest first, each with 'class', 'score' and 'box', the corners (x1, y1, x2, y2) in pixels of the picture,
            cut at its borders.
        """
        return self.detect([image], score_thr)[0]

    def detect(self, images: Sequence[np.ndarray], score_thr: float = 0.3) -> list[list[dict]]:
        """Detect objects in several pictures at once, which may differ in size; see `__call__`."""
        found = self.find(np.stack([self.fit.prepare(image) for image in images]))
        return [self._report(one, image.shape, score_thr) for one, image in zip(found, images, strict=True)]

    def find(self, batch: np.ndarray) -> list[Found]:
        """Run the network on fitted pictures, uint8 (N, height, width, 3), and return what it found in each."""
        outputs = self._run_in_batches(as_input(batch, self._float_input))
        if len(outputs) == 2:  # exported without suppression
            return [self._suppress(*one) for one in zip(*outputs, strict=True)]
        # The rows of all pictures are equally many; those that are not used have score 0.
        return [Found(*(rows[one[1] > 0] for rows in one)) for one in zip(*outputs, strict=True)]

    def _run_in_batches(self, batch: np.ndarray) -> Sequence[np.ndarray]:
        """Run the network, as often as it takes if it takes so many pictures and no others; black ones fill up."""
        if self._batch is None:
            return self._run(batch)
        missing = -len(batch) % self._batch
        full = np.concatenate([batch, np.zeros_like(batch, shape=(missing, *batch.shape[1:]))])
        parts = [self._run(part) for part in np.split(full, len(full) // self._batch)]
        return [np.concatenate(outputs)[: len(batch)] for outputs in zip(*parts, strict=True)]

    def _suppress(self, boxes: np.ndarray, probabilities: np.ndarray) -> Found:
        """Suppress overlapping candidates, class by class; boxes are (priors, 4), probabilities (priors, classes)."""
        priors, labels = np.nonzero(probabilities > self._score_threshold)
        candidates = Found(boxes[priors], probabilities[priors, labels], labels)
        # Classes are set apart by more than any box reaches, so that one pass serves all of them.
        span = np.abs(candidates.boxes).max(initial=0) * 2 + 1
        apart = candidates.boxes + labels[:, None] * span
        keep = suppress(apart, candidates.scores, self._iou_threshold, self._max_detections)
        return Found(*(rows[keep] for rows in candidates))

    def _report(self, found: Found, shape: tuple[int, ...], score_thr: float) -> list[dict]:
        """Say in words and pixels what was found in a picture of this shape."""
        height, width = shape[:2]
        boxes = self.fit.restore(found.boxes, shape).clip(0, (width, height, width, height))
        return [
            {'class': self.classes[label], 'score': round(score, 4), 'box': [round(value, 1) for value in box]}
            for box, score, label in zip(boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True)
            if score >= score_thr
        ]


def suppress(boxes: np.ndarray, scores: np.ndarray, iou_threshold: float, limit: int) -> np.ndarray:
    """Non-maximum suppression: return the rows to keep, best first.

    Args:
        boxes: (k, 4) corners (x1, y1, x2, y2).
        scores: (k,) confidences.
        iou_threshold: A box that overlaps a better one by more than this goes.
        limit: The most rows to keep.
    """
    order = np.argsort(-scores, kind='stable')
    keep: list[int] = []
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    while len(order) and len(keep) < limit:
        best, order = order[0], order[1:]
        keep.append(best)
        corners = np.maximum(boxes[best, :2], boxes[order, :2]), np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = (corners[1] - corners[0]).clip(0).prod(1)
        order = order[shared <= iou_threshold * (areas[best] + areas[order] - shared)]
    return np.array(keep, dtype=np.int64)


def _is_sealed(path: str) -> bool:
    """Say whether a file ends in the digest of what stands before it.

    Raises:
        DeployError: If the digest is another one.
    """
    content = Path(path).read_bytes()
    start = len(content) - len(_SEAL) - 64
    if content[start:-64] != _SEAL:
        return False
    if content[-64:] != hashlib.sha256(content[:start]).hexdigest().encode():
        raise DeployError(_CHANGED.format(path))
    return True


def _parse(metadata: dict[str, str]) -> dict[str, Any] | None:
    """Read the description that `tools/export.py` stored as JSON."""
    try:
        return json.loads(metadata['mobilenext_det'])
    except (KeyError, ValueError):
        return None


def read_image(path: str) -> np.ndarray:
    """Read a picture, (H, W, 3), BGR, uint8.

    Raises:
        DeployError: If it cannot be read.
    """
    try:
        image = cv2.imread(path)
    except cv2.error as error:  # such as a picture of more pixels than OpenCV reads
        raise DeployError(f'{path} cannot be read by OpenCV ({error.err}).') from None
    if image is None:
        raise DeployError(f'{path} is {"no picture that can be read" if Path(path).is_file() else "not there"}.')
    return image


def main() -> int:
    """Print the detections in pictures, as lines or as JSON."""
    parser = argparse.ArgumentParser(description='Detect objects in pictures with an exported detector.')
    parser.add_argument('model', help='ONNX file that tools/export.py wrote')
    parser.add_argument('images', nargs='+', metavar='IMAGE', help='picture')
    parser.add_argument('--score-thr', type=float, default=0.3, help='lowest score to report (default: %(default)s)')
    parser.add_argument('--threads', type=int, help="threads to use (default: ONNX Runtime's choice)")
    parser.add_argument(
        '--providers', nargs='+', default=['CPUExecutionProvider'], help='execution providers (default: the CPU)'
    )
    parser.add_argument('--json', action='store_true', help='print one JSON object, detections by picture')
    args = parser.parse_args()
    try:
        detector = Detector(args.model, args.threads, args.providers)
        found = {path: detector(read_image(path), args.score_thr) for path in args.images}
    except DeployError as error:
        print(error, file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(found))
        return 0
    for path, detections in found.items():
        print(f'{path}: {len(detections)} found')
        for one in detections:
            print(f'  {one["class"]:<14} {one["score"]:.4f}  {one["box"]}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
