"""What files beside YOLO's labels say: the classes' names, the parts of the data, and keypoints."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from mobilenext_det.datasets.split_file import read_lines, read_text
from mobilenext_det.errors import BadDataError

from .images import Images

LISTS_OF_NAMES = ('classes.txt', 'obj.names', '_darknet.labels')
_USUAL = ('data.yaml', 'data.yml', 'dataset.yaml')  # others may be about something else

Descriptions = Mapping[Path, dict[str, Any]]


@dataclass(frozen=True)
class YoloData:
    """What is said of the labels of a folder.

    Attributes:
        names: Name of each class by its number.
        keypoints: How many numbers of keypoints follow each box.
        parts: 'train', 'val' or 'test' of the images that a part is named for.
    """

    names: dict[int, str]
    keypoints: int
    parts: dict[Path, str]


def read_data(images: Images) -> YoloData:
    """Read data.yaml, or a list of names.

    Args:
        images: The folder's images.

    Raises:
        BadDataError: If no file names the classes, two name them differently, or one cannot be read.
    """
    files = [path for path in images.files if path.suffix.lower() in ('.yaml', '.yml')]
    descriptions = {file: content for file in files if 'names' in (content := _description(file))}
    return YoloData(_names(descriptions, images), _keypoints(descriptions), _parts(descriptions, images))


def _description(file: Path) -> dict[str, Any]:
    """Read a YAML file, every value as the text that it is: a class may be called on, or 1.10."""
    try:
        content = yaml.load(read_text(file), yaml.BaseLoader)  # noqa: S506 (makes texts, lists and dicts alone)
    except yaml.YAMLError as error:
        if file.name not in _USUAL:
            return {}
        raise BadDataError(f'{file}: it cannot be read as YAML ({" ".join(str(error).split())}).') from None
    return content if isinstance(content, dict) else {}


def _names(descriptions: Descriptions, images: Images) -> dict[int, str]:
    """Return the names by number, of the first kind of file that has them."""
    kinds = [{file: _by_number(content['names'], file) for file, content in descriptions.items()}]
    for name in LISTS_OF_NAMES:  # a blank line counts
        files = [path for path in images.files if path.name == name]
        kinds.append({file: _by_number(read_text(file).splitlines(), file) for file in files})
    for kind in kinds:
        lists = {file: names for file, names in kind.items() if names}
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


def _by_number(names: Any, file: Path) -> dict[int, str]:
    if isinstance(names, list):
        names = dict(enumerate(names))
    try:
        by_number = {int(number): str(name).strip() for number, name in names.items()}
    except (AttributeError, ValueError):
        raise BadDataError(f'{file}: names must be a list, or names by number, but are {names!r}.') from None
    return {number: name for number, name in by_number.items() if name}


def _keypoints(descriptions: Descriptions) -> int:
    for content in descriptions.values():
        shape = content.get('kpt_shape')
        if isinstance(shape, list) and len(shape) == 2 and all(each.isdigit() for each in shape):
            return int(shape[0]) * int(shape[1])
    return 0


def _parts(descriptions: Descriptions, images: Images) -> dict[Path, str]:
    """Return the part of each image that is named for one; what is named for several has none."""
    named: dict[Path, set[str]] = defaultdict(set)
    for file, content in descriptions.items():
        for part in ('train', 'val', 'test'):
            places = content.get(part) or []
            for place in [places] if isinstance(places, str) else places:
                for path in _images_at(str(place), str(content.get('path', '')), file, images):
                    named[path].add(part)
    return {path: parts.pop() for path, parts in named.items() if len(parts) == 1}


def _images_at(place: str, root: str, file: Path, images: Images) -> list[Path]:
    """Return the images of a folder, or of a list of images, that a file names in one of the ways that are usual."""
    inside = [part for part in PureWindowsPath(place).parts if part != '..']  # ../train/images, as Roboflow writes
    for base, rest in ((file.parent / root, place), (file.parent, place), (file.parent, Path(*inside))):
        where = Path(os.path.normpath(base / rest))
        if where.is_file():
            return [path for line in read_lines(where) if (path := images.find(line, where))]
        if found := [path for path in images.paths if where in path.parents]:
            return found
    return []
