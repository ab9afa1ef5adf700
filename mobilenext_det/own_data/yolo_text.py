"""Labels as YOLO reads them: a line for each object, in a text file for each image."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_lines, read_text
from mobilenext_det.errors import BadDataError

from .images import Images, measured
from .labels import Found, LabelledObject, Labels, labelled_twice

FORM, SUFFIX = 'YOLO text', '.txt'
_DESCRIPTIONS = ('data.yaml', 'data.yml', 'dataset.yaml')
NAMES = (*_DESCRIPTIONS, 'classes.txt', 'obj.names', '_darknet.labels')


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the text files of a folder; an image without one holds no object.

    Args:
        files: The text files that are named as images are.
        images: The folder's images.

    Raises:
        BadDataError: If no file names the classes, two files name them differently, or two label one image.
    """
    labels, names = Labels(FORM), _class_names(images)
    parts, keypoints = _parts(images), _keypoint_numbers(images)
    by_image: dict[Path, Path] = {}
    for file in files:
        if path := images.find(file.stem, file):
            if path in by_image:
                raise labelled_twice(path, by_image[path], file)
            by_image[path] = file
    without_image = sorted({*files, *_others(files)} - set(by_image.values()))
    for file in without_image:
        labels.note(Kind.NO_IMAGE, file, images.missing(file.stem))
    unclear = {path for file in without_image for path in images.named(file.stem)} - by_image.keys()
    for path in images.paths:
        if path not in unclear and (opened := measured(path, labels)):
            file = by_image.get(path, path)
            objects = _objects(file, names, keypoints, opened.size, labels) if path in by_image else ()
            labels.add(*opened, objects, parts.get(path) or images.part(path, file), file)
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


def _objects(
    file: Path, names: dict[int, str], keypoints: int, size: tuple[int, int], labels: Labels
) -> Iterator[Found]:
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        place, words = f'in line {number}', line.split()
        if not words:
            continue
        try:
            index, values = int(float(words[0])), [float(word) for word in words[1:]]
            box = _box(values[:4] if keypoints and len(values) == 4 + keypoints else values, size)
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
    """Return the names by number, of the first kind of file that has them."""
    for name in NAMES:
        lists = {path: names for path in images.files if path.name == name and (names := _names_in(path))}
        if lists:
            (first, names), *others = lists.items()
            for other, different in others:
                if different != names:
                    raise BadDataError(f'{first} and {other} name the classes differently: prepare each by itself.')
            return names
    raise BadDataError(
        f'{images.folder}: YOLO labels have numbers for classes, and no file here names them: write data.yaml with '
        'names: [FIRST, SECOND], or classes.txt with a name a line.'
    )


def _names_in(file: Path) -> dict[int, str]:
    """Return the names by number that a file holds."""
    names: Any = read_text(file).splitlines()  # a blank one counts
    if file.name in _DESCRIPTIONS:
        names = _description(file).get('names')
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    try:
        by_number = {int(number): str(name).strip() for number, name in names.items()}
    except ValueError:
        raise BadDataError(f'{file}: names must be a list, or names by number, but are {names}.') from None
    return {number: name for number, name in by_number.items() if name}


def _description(file: Path) -> dict[str, Any]:
    """Read data.yaml, every value as the text that it is: a class may be called on, or 1.10."""
    try:
        content = yaml.load(read_text(file), yaml.BaseLoader)  # noqa: S506 (makes texts, lists and dicts alone)
    except yaml.YAMLError as error:
        raise BadDataError(f'{file}: it cannot be read as YAML ({" ".join(str(error).split())}).') from None
    return content if isinstance(content, dict) else {}


def _keypoint_numbers(images: Images) -> int:
    """Return how many numbers of keypoints follow each box, as data.yaml says; 0 if it says nothing."""
    for file in (path for path in images.files if path.name in _DESCRIPTIONS):
        shape = _description(file).get('kpt_shape')
        if isinstance(shape, list) and len(shape) == 2 and all(each.isdigit() for each in shape):
            return int(shape[0]) * int(shape[1])
    return 0


def _parts(images: Images) -> dict[Path, str]:
    """Return the part of each image that data.yaml names; one that it names for several has none."""
    named: dict[Path, set[str]] = defaultdict(set)
    for file in (path for path in images.files if path.name in _DESCRIPTIONS):
        content = _description(file)
        for part in ('train', 'val', 'test'):
            places = content.get(part) or []
            for place in [places] if isinstance(places, str) else places:
                for path in _images_at(str(place), str(content.get('path', '')), file, images):
                    named[path].add(part)
    return {path: parts.pop() for path, parts in named.items() if len(parts) == 1}


def _images_at(place: str, root: str, file: Path, images: Images) -> list[Path]:
    """Return the images of a folder, or of a list of images, that data.yaml names in one of the ways that are usual."""
    inside = [part for part in PureWindowsPath(place).parts if part != '..']  # ../train/images, as Roboflow writes
    for base, rest in ((file.parent / root, place), (file.parent, place), (file.parent, Path(*inside))):
        where = Path(os.path.normpath(base / rest))
        if where.is_file():
            return [path for line in read_lines(where) if (path := images.find(line, where))]
        if found := [path for path in images.paths if where in path.parents]:
            return found
    return []
