"""Labels in COCO's JSON, one file or one for each part of the data."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mobilenext_det.datasets.geometry import stated_size
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_text

from .images import Images
from .labels import Found, LabelledObject, Labels, part_of_words

FORM, SUFFIX = 'COCO JSON', '.json'


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the JSON files of a folder.

    Args:
        files: The files.
        images: The folder's images.
    """
    labels = Labels(FORM)
    for file in files:
        content = json.loads(read_text(file))
        names = {_number(each, 'id'): str(each.get('name', '')) for each in content['categories']}
        by_image = defaultdict(list)
        for place, each in enumerate(content['annotations'], start=1):
            by_image[_number(each, 'image_id')].append((place, each))
        part = part_of_words(re.split(r'[\W_\d]+', file.stem)) or images.part(file)
        files_of, numbers_of = defaultdict(set), defaultdict(list)
        for entry in content['images']:
            files_of[_number(entry, 'id')].add(entry.get('file_name'))
            numbers_of[entry.get('file_name')].append(_number(entry, 'id'))
        for entry in content['images']:
            number, name = _number(entry, 'id'), str(entry.get('file_name', ''))
            if len(files_of[number]) > 1:
                labels.note(Kind.SAME_NUMBER, file, f'id {number} is that of {name} and of others')
            elif opened := images.open([name], file, labels):
                stated = stated_size(entry.get('width'), entry.get('height'))
                annotations = [each for n in dict.fromkeys(numbers_of[name]) for each in by_image[n]]
                objects = _objects(annotations, names, file, labels)
                labels.add(*opened, objects, part or images.part(opened.path), file, stated)
        for number in sorted(by_image.keys() - files_of.keys()):
            detail = f'{len(by_image[number])} objects are of image {number}, which it does not list'
            labels.note(Kind.NO_SUCH_IMAGE, file, detail)
    return labels


def _number(entry: dict[str, Any], key: str) -> str:
    """Return an id as a text: tools write 1 where it is defined, and '1' or 1.0 where it is used."""
    number = entry.get(key, f'no {key}')
    return str(int(number) if isinstance(number, float) and number.is_integer() else number)


def _objects(
    annotations: Sequence[tuple[int, dict[str, Any]]], names: dict[str, str], file: Path, labels: Labels
) -> Iterator[Found]:
    for place, each in annotations:
        number, name = each.get('id', place), names.get(_number(each, 'category_id'), '').strip()
        if not name:
            labels.note(Kind.UNKNOWN_CLASS, file, f'its category_id is {each.get("category_id")}', number)
            continue
        try:
            x, y, width, height = map(float, each.get('bbox') or ())
        except (TypeError, ValueError):
            labels.note(Kind.NOT_A_NUMBER, file, f'its bbox is {each.get("bbox")}', number)
            continue
        found = LabelledObject(name, (x, y, x + width, y + height), bool(each.get('iscrowd')))
        yield Found(found, file, number)
