"""Labels as YOLO reads them: a line for each object, in a text file for each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_lines, read_text
from mobilenext_det.errors import BadDataError

from .images import Images, measured
from .labels import Found, LabelledObject, Labels

FORM = 'YOLO text'
NAMES = ('data.yaml', 'data.yml', 'dataset.yaml', 'classes.txt', 'obj.names')


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the text files of a folder; an image without one holds no object.

    Args:
        files: The text files that are named as images are.
        images: The folder's images.

    Raises:
        BadDataError: If no file names the classes.
    """
    labels, names = Labels(FORM), _class_names(images)
    by_image = {path: file for file in files if (path := images.find(file.stem, file))}
    for file in sorted({*files, *_others(files)} - set(by_image.values())):
        labels.note(Kind.NO_IMAGE, file, f"there is no image '{file.stem}', or there are several")
    for path in images.paths:
        if opened := measured(path, labels):
            objects = _objects(by_image[path], names, opened.size, labels) if path in by_image else ()
            labels.add(*opened, objects, images.part(path))
    return labels


def _others(files: Sequence[Path]) -> Iterator[Path]:
    """Yield the files beside these that hold labels, too: nothing is named as they are."""
    for folder in {file.parent for file in files}:
        for file in set(folder.glob('*.txt')).difference(files):
            words = next((line.split() for line in read_text(file).splitlines() if line.strip()), [])
            if len(words) >= 5 and all(map(_is_number, words)) and file.name not in NAMES:
                yield file


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _objects(file: Path, names: dict[int, str], size: tuple[int, int], labels: Labels) -> Iterator[Found]:
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        place, words = f'in line {number}', line.split()
        if not words:
            continue
        try:
            index, values = int(float(words[0])), [float(word) for word in words[1:]]
            box = _box(values, size)
        except (ValueError, OverflowError):
            labels.note(Kind.NOT_A_NUMBER, file, f"the line is '{line[:60]}'", place)
            continue
        if index not in names:
            labels.note(Kind.UNKNOWN_CLASS, file, f'its class is {index}, the classes are {sorted(names)}', place)
            continue
        yield Found(LabelledObject(names[index], box), file, place)


def _box(values: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the corners of centre, width and height (a confidence may follow), or those around a polygon's points."""
    width, height = size
    if len(values) in (4, 5):
        x, y, w, h = values[:4]
        return (x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height
    if len(values) < 6 or len(values) % 2:
        raise ValueError(f'{len(values)} numbers are neither a box nor a polygon.')
    xs, ys = values[::2], values[1::2]
    return min(xs) * width, min(ys) * height, max(xs) * width, max(ys) * height


def _class_names(images: Images) -> dict[int, str]:
    """Return the names by number, of the first file that has them."""
    for name in NAMES:
        for file in (path for path in images.files if path.name == name):
            is_yaml = file.suffix in ('.yaml', '.yml')
            names: Any = yaml.safe_load(read_text(file)) if is_yaml else read_lines(file)
            names = names.get('names') if isinstance(names, dict) else names
            if isinstance(names, list):
                names = dict(enumerate(names))
            if isinstance(names, dict) and names:
                return {int(number): str(each).strip() for number, each in names.items() if str(each).strip()}
    raise BadDataError(
        f'{images.folder}: YOLO labels have numbers for classes, and no file here names them: write data.yaml with '
        'names: [FIRST, SECOND], or classes.txt with a name a line.'
    )
