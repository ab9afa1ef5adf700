"""What files beside YOLO's labels say: the classes' names, the parts of the data, and keypoints."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import yaml

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_lines, read_text
from mobilenext_det.errors import BadDataError

from .images import Images
from .labels import Labels

LISTS_OF_NAMES = ('classes.txt', 'obj.names', '_darknet.labels')
_USUAL = ('data.yaml', 'data.yml', 'dataset.yaml')

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


def read_data(images: Images, labels: Labels) -> YoloData:
    """Read data.yaml, or a list of names.

    Args:
        images: The folder's images.
        labels: What problems are added to.

    Raises:
        BadDataError: If no file names the classes, two name them differently, or one cannot be read.
    """
    files = [path for path in images.files if path.suffix.lower() in ('.yaml', '.yml')]
    usual = {file: _description(file) for file in files if file.name in _USUAL}
    descriptions = {file: content for file, content in usual.items() if 'names' in content} or _unusual(files)
    names = _joined({file: _by_number(content['names'], file) for file, content in descriptions.items()})
    for kind in LISTS_OF_NAMES:
        if not names:
            lists = (path for path in images.files if path.name == kind)
            names = _joined({file: _by_number(read_text(file).splitlines(), file) for file in lists})
    if not names:
        raise BadDataError(
            f'{images.folder}: YOLO labels have numbers for classes, and no file here names them: write data.yaml with '
            'names: [FIRST, SECOND], or classes.txt with a name a line.'
        )
    return YoloData(names, _keypoints(descriptions), _parts(descriptions, images, labels))


def _description(file: Path) -> dict[str, Any]:
    """Read a YAML file, every value as the text that it is: a class may be called on, or 1.10."""
    try:
        content = yaml.load(read_text(file), yaml.BaseLoader)  # noqa: S506 (makes texts, lists and dicts alone)
    except yaml.YAMLError as error:
        raise BadDataError(f'{file}: it cannot be read as YAML ({" ".join(str(error).split())}).') from None
    return content if isinstance(content, dict) else {}


def _unusual(files: Sequence[Path]) -> dict[Path, dict[str, Any]]:
    """Return the files that name classes though they are not called data.yaml; others are about something else."""
    found = {}
    for file in files:
        with contextlib.suppress(BadDataError):
            content = _description(file)
            if _by_number(content.get('names'), file):
                found[file] = content
    return found


def _joined(lists: Mapping[Path, dict[int, str]]) -> dict[int, str]:
    """Join lists of names that agree; labelImg writes one for each folder, with the classes that it has seen."""
    names: dict[int, str] = {}
    first: dict[int, Path] = {}
    for file, its_names in lists.items():
        for number, name in its_names.items():
            if names.setdefault(number, name) != name:
                raise BadDataError(
                    f'{first[number]} and {file} name class {number} differently, {names[number]!r} and {name!r}: '
                    'prepare each by itself, or take one of them away.'
                )
            first.setdefault(number, file)
    return names


def _by_number(names: Any, file: Path) -> dict[int, str]:
    if isinstance(names, list):
        names = dict(enumerate(names))
    try:
        by_number = {int(number): str(name).strip() for number, name in names.items()}
    except (AttributeError, ValueError):
        raise BadDataError(f'{file}: names must be a list, or names by number, but are {names!r}.') from None
    return {number: name for number, name in by_number.items() if name}  # a blank line counts, and names none


def _keypoints(descriptions: Descriptions) -> int:
    for content in descriptions.values():
        shape = content.get('kpt_shape')
        if isinstance(shape, list) and len(shape) == 2 and all(each.isdigit() for each in shape):
            return int(shape[0]) * int(shape[1])
    return 0


def _parts(descriptions: Descriptions, images: Images, labels: Labels) -> dict[Path, str]:
    """Return the part of each image that is named for one; what is named for several has none."""
    named: dict[Path, set[str]] = defaultdict(set)
    for file, content in descriptions.items():
        for part in ('train', 'val', 'test'):
            places = content.get(part) or []
            for place in [places] if isinstance(places, str) else places:
                found = _images_at(str(place), str(content.get('path', '')), file, images)
                if not found:
                    labels.note(Kind.NO_PART, file, f'there is no image at {part}: {place}')
                for path in found:
                    named[path].add(part)
    return {path: parts.pop() for path, parts in named.items() if len(parts) == 1}


def _images_at(place: str, root: str, file: Path, images: Images) -> list[Path]:
    """Return the images of a folder, or of a list of images, that a file names in one of the ways that are usual."""
    # Roboflow writes ../train/images for train/images, and notebooks a path on the machine that they ran on.
    inside = [part for part in PureWindowsPath(place).parts if part not in ('..', '/', '\\') and ':' not in part]
    ends = [Path(*inside[start:]) for start in range(max(1, len(inside) - 1))]
    for rest in (Path(root, place), Path(place), *ends):
        where = Path(os.path.normpath(file.parent / rest))
        if where.is_file():
            return [path for line in read_lines(where) if (path := images.find(line, where))]
        if found := [path for path in images.paths if where in path.parents]:
            return found
    return []
