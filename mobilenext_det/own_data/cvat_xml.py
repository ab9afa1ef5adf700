"""Labels in one XML file of CVAT ("CVAT for images 1.1")."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath

from mobilenext_det.datasets.geometry import stated_size
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.errors import BadDataError

from .images import Images
from .labels import Box, Found, LabelledObject, Labels, part_of

FORM, SUFFIX = 'CVAT XML', '.xml'


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the XML files of a folder. Of turned boxes, polygons, ellipses and masks the box around them is taken.

    Args:
        files: The files.
        images: The folder's images.

    Raises:
        BadDataError: If a file cannot be read, or is of a video.
    """
    labels = Labels(FORM)
    for file in files:
        try:
            root = ET.parse(file).getroot()
        except (ET.ParseError, ValueError, LookupError) as error:
            raise BadDataError(f'{file}: it cannot be read as XML ({error}); export it anew.') from None
        if root.find('track') is not None:
            raise BadDataError(f'{file}: it has the tracks of a video; export it as "CVAT for images 1.1".')
        for node in root.iter('image'):
            name = node.get('name', '')
            if opened := images.open([name], file, labels):
                said = part_of([*PureWindowsPath(name).parts[:-1], node.get('subset', '')])
                stated = stated_size(node.get('width'), node.get('height'))
                part = said or images.part(file, opened.path)
                labels.add(*opened, _objects(node, file, labels), part, file, stated)
    return labels


def _objects(image: ET.Element, file: Path, labels: Labels) -> Iterator[Found]:
    shapes = [node for node in image if node.tag != 'tag']  # which is of the whole image
    for number, node in enumerate(shapes, start=1):
        name, place = node.get('label', '').strip(), f'{number} of image {image.get("name")}'
        if not name or node.tag not in _BOXES:
            detail = f'a {node.tag} has no box' if name else 'it has no label'
            labels.note(Kind.INCOMPLETE, file, detail, place)
            continue
        try:
            box = _BOXES[node.tag](node)
        except ValueError:
            labels.note(Kind.NOT_A_NUMBER, file, f'it says {dict(node.attrib)}', place)
            continue
        yield Found(LabelledObject(name, box), file, place)


def _numbers(node: ET.Element, *names: str) -> list[float]:
    return [float(node.get(name, '')) for name in names]


def _turned(node: ET.Element, x: float, y: float, width: float, height: float) -> Box:
    """Return the box around a shape that is turned about its centre, of half a width and half a height."""
    angle = math.radians(float(node.get('rotation', 0)))
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    if node.tag == 'ellipse':
        half_width, half_height = math.hypot(width * cosine, height * sine), math.hypot(width * sine, height * cosine)
    else:
        half_width, half_height = width * cosine + height * sine, width * sine + height * cosine
    return x - half_width, y - half_height, x + half_width, y + half_height


def _box(node: ET.Element) -> Box:
    x1, y1, x2, y2 = _numbers(node, 'xtl', 'ytl', 'xbr', 'ybr')
    if not float(node.get('rotation', 0)):
        return x1, y1, x2, y2  # as it stands, also where the corners are swapped
    return _turned(node, (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2)


def _ellipse(node: ET.Element) -> Box:
    return _turned(node, *_numbers(node, 'cx', 'cy', 'rx', 'ry'))


def _mask(node: ET.Element) -> Box:
    left, top, width, height = _numbers(node, 'left', 'top', 'width', 'height')
    return left, top, left + width, top + height


def _polygon(node: ET.Element) -> Box:
    points = [tuple(map(float, point.split(','))) for point in node.get('points', '').split(';')]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


_BOXES = {'box': _box, 'polygon': _polygon, 'ellipse': _ellipse, 'mask': _mask}
