"""Labels in COCO's JSON, one file or one for each part of the data."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_text

from .images import Images
from .labels import Found, LabelledObject, Labels, part_of

FORM = 'COCO JSON'


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the JSON files of a folder.

    Args:
        files: The files.
        images: The folder's images.
    """
    labels = Labels(FORM)
    for file in files:
        content = json.loads(read_text(file))
        names = {each.get('id'): str(each.get('name', '')) for each in content.get('categories', [])}
        by_image = defaultdict(list)
        for number, each in enumerate(content['annotations'], start=1):
            by_image[each.get('image_id')].append((number, each))
        part = part_of([*file.relative_to(images.folder).parts[:-1], *re.split(r'[\W_\d]+', file.stem)])
        for entry in content['images']:
            annotations = by_image.pop(entry.get('id'), [])
            if opened := images.open([str(entry.get('file_name', ''))], file, labels):
                labels.add(*opened, _objects(annotations, names, file, labels), part)
        for identity, annotations in by_image.items():
            detail = f'{len(annotations)} objects are of image {identity}, which it does not list'
            labels.note(Kind.NO_SUCH_IMAGE, file, detail)
    return labels


def _objects(
    annotations: Sequence[tuple[int, dict[str, Any]]], names: dict[Any, str], file: Path, labels: Labels
) -> Iterator[Found]:
    for place, each in annotations:
        number, name = each.get('id', place), names.get(each.get('category_id'), '').strip()
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
