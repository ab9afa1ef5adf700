"""The ground truth of a folder in VOC layout, read as the devkit reads it: Annotations/ and ImageSets/, no images.

Unlike the data set that feeds training, which clips boxes and skips objects it cannot learn from, this reader changes
and skips nothing: a box of one pixel counts, and what cannot be evaluated is an error.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmdet.datasets import VOCDataset
from rich.progress import track

from mobilenext_det.datasets.voc import IMAGE_SUFFIXES
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
    """

    classes: tuple[str, ...]
    image_ids: list[str]
    image_paths: list[str]
    objects: Objects
    left_out: list[str]


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
    lines = _read_split(split_file)
    image_ids, annotations = list(lines), []
    for image, image_id in enumerate(track(image_ids, description='Reading annotations', transient=True)):
        path = root / 'Annotations' / f'{image_id}.xml'
        if not path.is_file():
            raise BadDataError(
                f'{split_file}, line {lines[image_id]}: there is no {path}; get the file or take the line out.'
            )
        annotations += _read_annotation(path, image)

    named = {item.name for item in annotations}
    known = VOC_CLASSES if named <= set(VOC_CLASSES) else tuple(sorted(named))
    classes = known if classes is None else tuple(classes)
    for name in classes:
        if name not in known:
            raise BadDataError(f"Class '{name}' is not among those of {split_file}: {', '.join(known)}.")
    return GroundTruth(
        classes,
        image_ids,
        [_image_path(root, image_id) for image_id in image_ids],
        _to_objects([item for item in annotations if item.name in classes], classes),
        [name for name in known if name not in classes],
    )


def _read_split(path: Path) -> dict[str, int]:
    """The images a split names, with the lines they stand in."""
    if not path.is_file():
        there = ', '.join(sorted(file.stem for file in path.parent.glob('*.txt') if '_' not in file.stem))
        raise BadDataError(f'There is no split file {path}; splits there: {there or "none"}.')
    lines: dict[str, int] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.strip():
            image_id = line.split()[0]
            if image_id in lines:
                raise BadDataError(f'{path}, line {number}: image {image_id} stands in line {lines[image_id]} already.')
            lines[image_id] = number
    if not lines:
        raise BadDataError(f'{path} is empty; it must name one image a line.')
    return lines


def _read_annotation(path: Path, image: int) -> list[_Annotation]:
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, UnicodeError) as error:
        raise BadDataError(f'{path} is no XML: {error}.') from None
    items = [_read_object(node, f'{path}, object {n}', image) for n, node in enumerate(root.findall('object'), start=1)]
    # The metric sees difficult objects behind the others; the same order here makes equal overlaps fall alike.
    return sorted(items, key=lambda item: item.difficult)


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


def _image_path(root: Path, image_id: str) -> str:
    candidates = (root / 'JPEGImages' / f'{image_id}{suffix}' for suffix in IMAGE_SUFFIXES)
    return next((str(path) for path in candidates if path.is_file()), '')
