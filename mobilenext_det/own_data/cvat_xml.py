"""Labels in one XML file of CVAT ("CVAT for images 1.1")."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

from mobilenext_det.datasets.problems import Kind

from .images import Images
from .labels import Found, LabelledObject, Labels, part_of

FORM = 'CVAT XML'


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the XML files of a folder. Of polygons the box around them is taken.

    Args:
        files: The files.
        images: The folder's images.
    """
    labels = Labels(FORM)
    for file in files:
        for node in ET.parse(file).getroot().iter('image'):
            name = node.get('name', '')
            if opened := images.open([name], file, labels):
                part = part_of([*Path(name).parts, node.get('subset', '')])
                labels.add(*opened, _objects(node, file, labels), part)
    return labels


def _objects(image: ET.Element, file: Path, labels: Labels) -> Iterator[Found]:
    shapes = [node for node in image if node.tag in ('box', 'polygon')]
    for number, node in enumerate(shapes, start=1):
        name, place = node.get('label', '').strip(), f'{number} of image {image.get("name")}'
        if not name:
            labels.note(Kind.INCOMPLETE, file, 'it has no label', place)
            continue
        try:
            box = _box(node)
        except ValueError:
            labels.note(Kind.NOT_A_NUMBER, file, f'it says {dict(node.attrib)}', place)
            continue
        yield Found(LabelledObject(name, box), file, place)


def _box(node: ET.Element) -> tuple[float, float, float, float]:
    if node.tag == 'box':
        x1, y1, x2, y2 = (float(node.get(side, '')) for side in ('xtl', 'ytl', 'xbr', 'ybr'))
        return x1, y1, x2, y2
    points = [tuple(map(float, point.split(','))) for point in node.get('points', '').split(';')]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
