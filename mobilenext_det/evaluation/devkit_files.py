"""Detections as the VOC devkit's text files, ``comp4_det_<split>_<class>.txt``.

A line is ``image score xmin ymin xmax ymax``. Pixels in the files count from 1, in memory from 0. Numbers are written
with all their digits, and in the order of the detections, so that what is read back gives the same average precision to
the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mobilenext_det.errors import BadDataError

from .records import Detections, EvaluationSet

FIELDS = 'image score xmin ymin xmax ymax'
_Row = tuple[int, float, float, float, float, float]  # the index of the image in the place of its name


def write_detections(data: EvaluationSet, folder: str | Path, split: str = 'test') -> list[Path]:
    """Write one file a class, empty for a class without detections.

    Args:
        data: The detections with the names of images and classes.
        folder: Where the files go; it is made when missing.
        split: Name of the split, a part of the files' names.

    Returns:
        The files.

    Raises:
        BadDataError: Image names cannot be told apart in such files, or a class cannot be part of a file's name.
    """
    if len(set(data.image_ids)) < len(data.image_ids) or any(len(name.split()) != 1 for name in data.image_ids):
        raise BadDataError(
            'Devkit files need image names that are unique and without blanks; evaluate data sets that share names one '
            'by one.'
        )
    for name in data.classes:
        if '/' in name:
            raise BadDataError(f"Devkit files are named after their class, and '{name}' has a slash; rename the class.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    detections, paths = data.detections, []
    for label, name in enumerate(data.classes):
        own = detections.label == label
        rows = zip(
            detections.image[own].tolist(),
            detections.scores[own].tolist(),
            (detections.boxes[own] + 1).tolist(),
            strict=True,
        )
        paths.append(folder / _file_name(split, name))
        paths[-1].write_text(
            ''.join(f'{data.image_ids[image]} {score!r} {" ".join(map(repr, box))}\n' for image, score, box in rows)
        )
    return paths


def read_detections(
    folder: str | Path, split: str, classes: Sequence[str], image_ids: Sequence[str], left_out: Sequence[str] = ()
) -> tuple[Detections, list[str]]:
    """Read the files of all classes, each in its own order.

    Args:
        folder: Where the files are.
        split: Name of the split, a part of the files' names.
        classes: Names of the classes.
        image_ids: Names of the images.
        left_out: Classes that are not evaluated, whose files are passed over.

    Returns:
        The detections, and the classes that have no file, which count as never detected.

    Raises:
        BadDataError: There are no files, a file is of an unknown class, or a line is not what it should be.
    """
    folder = Path(folder)
    prefix = _file_name(split, '').removesuffix('.txt')
    files = {path.stem.removeprefix(prefix): path for path in sorted(folder.glob(_file_name(split, '*')))}
    if not files:
        others = ', '.join(sorted(path.name for path in folder.glob('*'))[:5])
        raise BadDataError(f'{folder} holds no file {_file_name(split, "<class>")}; it holds {others or "nothing"}.')
    for name, path in files.items():
        if name not in classes and name not in left_out:
            raise BadDataError(f"{path}: unknown class '{name}'; the classes are {', '.join(classes)}.")
    images = {name: index for index, name in enumerate(image_ids)}
    read = {label: _read_file(files[name], images) for label, name in enumerate(classes) if name in files}
    rows = [row for label in read for row in read[label]]
    numbers = np.array([row[1:] for row in rows], dtype=np.float64).reshape(-1, 5)
    detections = Detections(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.repeat(list(read), [len(part) for part in read.values()]).astype(np.int64),
        numbers[:, 1:] - 1,
        numbers[:, 0],
    )
    return detections, [name for name in classes if name not in files]


def _file_name(split: str, name: str) -> str:
    return f'comp4_det_{split}_{name}.txt'


def _read_file(path: Path, images: dict[str, int]) -> list[_Row]:
    with path.open() as lines:
        return [
            _parse(line.split(), images, path, number) for number, line in enumerate(lines, start=1) if line.strip()
        ]


def _parse(parts: list[str], images: dict[str, int], path: Path, number: int) -> _Row:
    place = f'{path}, line {number}'
    if len(parts) != 6:
        raise BadDataError(f"{place}: {len(parts)} fields instead of the six '{FIELDS}'.")
    image = images.get(parts[0])
    if image is None:
        raise BadDataError(f"{place}: image '{parts[0]}' is not in the split.")
    try:
        score, x1, y1, x2, y2 = map(float, parts[1:])
    except ValueError:
        raise BadDataError(f'{place}: one of {parts[1:]} is no number.') from None
    if not math.isfinite(score):
        raise BadDataError(f'{place}: the score {parts[1]} is not finite.')
    if not all(map(math.isfinite, (x1, y1, x2, y2))):
        raise BadDataError(f'{place}: the box {parts[2:]} is not finite.')
    if x1 > x2 or y1 > y2:
        raise BadDataError(f'{place}: the box {parts[2:]} is inverted.')
    return image, score, x1, y1, x2, y2
