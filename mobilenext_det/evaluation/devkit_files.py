"""Detections as the VOC devkit's text files, ``comp4_det_<split>_<class>.txt``.

A line is ``image score xmin ymin xmax ymax``. Pixels in the files count from 1, in memory from 0. Numbers are written
with all their digits, and in the order of the detections, so that what is read back gives the same average precision to
the last bit.

An image's name may have blanks, as five numbers follow it. What cannot stand in a file's name or in a line is written
as in addresses: a slash in a class as ``%2F``, a line's end in an image's name as ``%0A``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from urllib.parse import quote

import numpy as np

from mobilenext_det.errors import BadDataError

from .records import Detections, EvaluationSet

FIELDS = 'image score xmin ymin xmax ymax'
LONGEST_NAME = 255  # bytes, of a file
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
        BadDataError: Image names cannot be told apart in such files.
    """
    names = [_in_a_line(name) for name in data.image_ids]
    if len(set(names)) < len(names):
        raise BadDataError('Devkit files need image names that are unique; evaluate data sets that share names apart.')
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
        lines = (f'{names[image]} {score!r} {" ".join(map(repr, box))}\n' for image, score, box in rows)
        paths[-1].write_bytes(''.join(lines).encode())
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
    prefix = f'comp4_det_{split}_'
    there = sorted(path for path in folder.glob('*.txt') if path.name.startswith(prefix))
    in_file = {_file_name(split, name): name for name in (*left_out, *classes)}
    # The devkit's own files may have a name as it is.
    files = {in_file.get(path.name, path.name.removeprefix(prefix).removesuffix('.txt')): path for path in there}
    if not files:
        others = ', '.join(sorted(path.name for path in folder.glob('*'))[:5])
        raise BadDataError(f'{folder} holds no file {_file_name(split, "<class>")}; it holds {others or "nothing"}.')
    for name, path in files.items():
        if name not in classes and name not in left_out:
            raise BadDataError(f"{path}: unknown class '{name}'; the classes are {', '.join(classes)}.")
    images = {name: index for index, name in enumerate(image_ids)}  # as the devkit's own files have them
    images |= {_in_a_line(name): index for name, index in images.items()}
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
    """Return the name of a class's file; of a name too long for a file system the end is a digest."""
    written = _escaped(name, '%/\0')
    room = LONGEST_NAME - len(f'comp4_det_{split}_.txt'.encode())
    if len(written.encode()) > room:
        # A character takes four bytes at most.
        written = f'{written[: room // 4 - 5]}~{blake2b(written.encode(), digest_size=8).hexdigest()}'
    return f'comp4_det_{split}_{written}.txt'


def _in_a_line(name: str) -> str:
    """Return an image's name as it stands in a line."""
    blanks = '' if name == name.strip() else ''.join(filter(str.isspace, name))
    return _escaped(name, f'%\n\r{blanks}')


def _escaped(text: str, unsafe: str) -> str:
    """Escape characters, and those that UTF-8 has not: they stand for bytes in a file's name that are no UTF-8."""
    return ''.join(
        f'%u{ord(letter):04X}'
        if '\ud800' <= letter <= '\udfff'
        else quote(letter, safe='')
        if letter in unsafe
        else letter
        for letter in text
    )


def _read_file(path: Path, images: dict[str, int]) -> list[_Row]:
    lines = path.read_bytes().decode('utf-8', 'surrogateescape').split('\n')
    return [_parse(line, images, path, number) for number, line in enumerate(lines, start=1) if line.strip()]


def _parse(line: str, images: dict[str, int], path: Path, number: int) -> _Row:
    parts = line.strip().rsplit(maxsplit=5)
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
