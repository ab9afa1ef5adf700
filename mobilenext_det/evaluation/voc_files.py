"""The ground truth of a folder in VOC layout, read as the devkit reads it: Annotations/, ImageSets/, images if there.

Boxes that leave their image are clipped by the rule of the data set that training and testing read; for the rest this
reader changes and skips nothing: a box of one pixel counts, and what cannot be evaluated is an error.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmdet.datasets import VOCDataset
from rich.progress import track

from mobilenext_det.datasets.annotation_check import stated_size, unread_content
from mobilenext_det.datasets.geometry import Size, clip_box, overhang_kind
from mobilenext_det.datasets.image_check import BrokenImageError, image_size
from mobilenext_det.datasets.image_files import ImageFinder
from mobilenext_det.datasets.problems import BadObjectError, Kind
from mobilenext_det.datasets.split_file import read_split
from mobilenext_det.errors import BadDataError

from .records import Objects

VOC_CLASSES = VOCDataset.METAINFO['classes']


class GroundTruth(NamedTuple):
    """The annotations of one split.

    Attributes:
        classes: Names of the classes that are evaluated.
        image_ids: Names of the images, in the order of the split file.
        image_paths: Their files, empty strings where there is none.
        objects: Objects of the classes; boxes are 0-based, one less than in the files.
        left_out: Names of the classes that are known but not evaluated.
        problems: What was dropped or altered: how many problems of each kind.
    """

    classes: tuple[str, ...]
    image_ids: list[str]
    image_paths: list[str]
    objects: Objects
    left_out: list[str]
    problems: Mapping[str, int]


class _Annotation(NamedTuple):
    image: int
    name: str
    box: tuple[float, ...]
    difficult: bool


def read_ground_truth(voc_root: str | Path, split: str, classes: Sequence[str] | None = None) -> GroundTruth:
    """Read the annotations of a split.

    Args:
        voc_root: Folder that holds Annotations/ and ImageSets/.
        split: Name of a file in ImageSets/Main/, without .txt.
        classes: The classes to evaluate. By default VOC's twenty if the annotations name no other, else all they name.

    Raises:
        BadDataError: A file is missing, is no XML, or holds a box or flag that is none; a class is not annotated.
    """
    root = Path(voc_root)
    split_file = root / 'ImageSets' / 'Main' / f'{split}.txt'
    image_ids, problems = _read_split(root, split_file)
    find_image, paths, annotations = ImageFinder(), [], []
    for image, image_id in enumerate(track(image_ids, description='Reading annotations', transient=True)):
        path = root / 'Annotations' / f'{image_id}.xml'
        if not path.is_file():
            raise BadDataError(
                f'{split_file} names {image_id}, but there is no {path}; get the file or take the line out.'
            )
        paths.append(find_image(str(root / 'JPEGImages' / image_id)) or '')
        annotations += _read_annotation(path, image, paths[-1], problems)

    named = {item.name for item in annotations}
    known = VOC_CLASSES if named <= set(VOC_CLASSES) else tuple(sorted(named))
    classes = known if classes is None else tuple(classes)
    for name in classes:
        if name not in known:
            raise BadDataError(f"Class '{name}' is not among those of {split_file}: {', '.join(known)}.")
    return GroundTruth(
        classes,
        image_ids,
        paths,
        _to_objects([item for item in annotations if item.name in classes], classes),
        [name for name in known if name not in classes],
        problems,
    )


def _read_split(root: Path, path: Path) -> tuple[list[str], Counter[str]]:
    """The images a split names, each once, and the count of those that it names more than once."""
    if not path.is_file():
        there = ', '.join(sorted(file.stem for file in path.parent.glob('*.txt') if '_' not in file.stem))
        raise BadDataError(f'There is no split file {path}; splits there: {there or "none"}.')
    listed = read_split(path, lambda name: (root / 'Annotations' / f'{name}.xml').is_file())
    image_ids = list(dict.fromkeys(listed))
    repeated = len(listed) - len(image_ids)
    return image_ids, Counter({Kind.TWICE.name: repeated} if repeated else {})


def _read_annotation(path: Path, image: int, image_path: str, problems: Counter[str]) -> list[_Annotation]:
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise BadDataError(f'{path} is no XML: {error}.') from None
    if (unread := unread_content(root)) is not None:
        raise BadDataError(f'{path} has no <object>, but numbers in <{unread}>: nothing of it can be read.')
    size = _size(image_path) or stated_size(root)
    items = []
    for number, node in enumerate(root.findall('object'), start=1):
        item = _read_object(node, f'{path}, object {number}', image)
        try:
            items.append(item if size is None else _clipped(item, size, problems))
        except BadObjectError as bad:
            problems[bad.kind.name] += 1
    # The metric sees difficult objects behind the others; the same order here makes equal overlaps fall alike.
    return sorted(items, key=lambda item: item.difficult)


def _size(image_path: str) -> Size | None:
    try:
        return image_size(image_path) if image_path else None
    except BrokenImageError:
        return None


def _clipped(item: _Annotation, size: Size, problems: Counter[str]) -> _Annotation:
    box, overhang = clip_box(item.box, 1, size)
    if overhang:
        problems[overhang_kind(overhang).name] += 1
    return item._replace(box=box)


def _read_object(node: ET.Element, place: str, image: int) -> _Annotation:
    name = node.findtext('name', '').strip()
    if not name:
        raise BadDataError(f'{place} has no <name>.')
    texts = [node.findtext(f'bndbox/{corner}', 'missing').strip() for corner in ('xmin', 'ymin', 'xmax', 'ymax')]
    try:
        box = tuple(float(text) for text in texts)
    except ValueError:
        raise BadDataError(f'{place} ({name}): the box {texts} is not four numbers.') from None
    if not all(map(math.isfinite, box)) or box[0] > box[2] or box[1] > box[3]:
        raise BadDataError(f'{place} ({name}): the box {texts} is inverted or not finite.')
    difficult = node.findtext('difficult', '0').strip()
    if difficult not in ('0', '1'):
        raise BadDataError(f"{place} ({name}): <difficult> is '{difficult}', not 0 or 1.")
    return _Annotation(image, name, box, difficult == '1')


def _to_objects(items: list[_Annotation], classes: Sequence[str]) -> Objects:
    return Objects(
        np.array([item.image for item in items], dtype=np.int64),
        np.array([classes.index(item.name) for item in items], dtype=np.int64),
        np.array([item.box for item in items], dtype=np.float64).reshape(-1, 4) - 1,
        np.array([item.difficult for item in items], dtype=bool),
    )
