"""Labels as labelme writes them: a JSON file for each image."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mobilenext_det.datasets.geometry import stated_size
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_text

from .images import Images
from .labels import Found, LabelledObject, Labels

FORM, SUFFIX = 'labelme JSON', '.json'

WITH_A_BOX = ('rectangle', 'polygon', 'rotation', 'oriented_rectangle', 'mask')  # whose points a box can be put around


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the JSON files of a folder. Of polygons and circles the box around them is taken.

    Args:
        files: The files.
        images: The folder's images.
    """
    labels = Labels(FORM)
    for file in files:
        content = json.loads(read_text(file))
        names = (str(content.get('imagePath') or file.stem), file.stem)
        if opened := images.open(names, file, labels):
            stated = stated_size(content.get('imageWidth'), content.get('imageHeight'))
            part = images.part(file, opened.path)
            labels.add(*opened, _objects(content['shapes'], file, labels), part, file, stated)
    return labels


def _objects(shapes: Sequence[dict[str, Any]], file: Path, labels: Labels) -> Iterator[Found]:
    for number, shape in enumerate(shapes, start=1):
        name = str(shape.get('label') or '').strip()
        if not name:
            labels.note(Kind.INCOMPLETE, file, 'it has no label', number)
            continue
        try:
            box = _box(shape)
        except (KeyError, TypeError, ValueError):
            labels.note(Kind.NOT_A_NUMBER, file, f'a {shape.get("shape_type")} has no box', number)
            continue
        yield Found(LabelledObject(name, box), file, number)


def _box(shape: dict[str, Any]) -> tuple[float, float, float, float]:
    points = [(float(x), float(y)) for x, y in shape['points']]
    if shape.get('shape_type') == 'circle':  # its centre, and a point on it
        (x, y), (u, v) = points
        radius = ((x - u) ** 2 + (y - v) ** 2) ** 0.5
        return x - radius, y - radius, x + radius, y + radius
    if shape.get('shape_type', 'polygon') not in WITH_A_BOX:
        raise ValueError('lines and points have no box')
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
