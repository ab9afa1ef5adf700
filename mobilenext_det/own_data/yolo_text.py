"""Labels as YOLO reads them: a line for each object, in a text file for each image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_text

from .images import Images, measured
from .labels import Found, LabelledObject, Labels, labelled_twice
from .yolo_data import LISTS_OF_NAMES, read_data

FORM, SUFFIX = 'YOLO text', '.txt'


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the text files of a folder; an image without one holds no object.

    Args:
        files: The text files that are named as images are.
        images: The folder's images.

    Raises:
        BadDataError: If no file names the classes, two files name them differently, or two label one image.
    """
    labels = Labels(FORM)
    data = read_data(images, labels)
    by_image: dict[Path, Path] = {}
    for file in files:
        if path := images.find(file.stem, file):
            if path in by_image:
                raise labelled_twice(path, by_image[path], file)
            by_image[path] = file
    without_image = sorted({*files, *_others(files, images)} - set(by_image.values()))
    for file in without_image:
        labels.note(Kind.NO_IMAGE, file, images.missing(file.stem))
    unclear = {path for file in without_image for path in images.named(file.stem)} - by_image.keys()
    for path in images.paths:
        if path not in unclear and (opened := measured(path, labels)):
            file = by_image.get(path, path)
            objects = _objects(file, data.names, data.keypoints, opened.size, labels) if path in by_image else ()
            labels.add(*opened, objects, data.parts.get(path) or images.part(path, file), file)
    return labels


def _others(files: Sequence[Path], images: Images) -> Iterator[Path]:
    """Yield the files beside these that hold labels, too: nothing is named as they are."""
    known, folders = set(files), {file.parent for file in files}
    for file in (path for path in images.files if path.suffix.lower() == SUFFIX and path.parent in folders):
        if file in known or file.name in LISTS_OF_NAMES:
            continue
        words = next((line.split() for line in read_text(file).splitlines() if line.strip()), [])
        if len(words) >= 5 and all(map(_is_number, words)):
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
