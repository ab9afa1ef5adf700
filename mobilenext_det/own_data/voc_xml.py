"""Labels as VOC, labelImg and Roboflow write them: an XML file for each image, beside it or in a folder of its own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath

from mobilenext_det.datasets.annotation_check import stated_size
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.datasets.split_file import read_lines, read_split

from .images import Images
from .labels import Found, LabelledObject, Labels

FORM, SUFFIX = 'VOC XML', '.xml'


def read(files: Sequence[Path], images: Images) -> Labels:
    """Read the XML files of a folder.

    Args:
        files: The files.
        images: The folder's images.
    """
    labels, lists = Labels(FORM), _lists(files, images.files)
    for file in files:
        parts = next((parts for folder, parts in lists.items() if folder in file.parents), _Parts())
        if file.stem not in parts and parts.choose:
            labels.note(Kind.UNLISTED, file, 'no list in ImageSets/Main names it')
            continue
        try:
            root = ET.parse(file).getroot()
        except (ET.ParseError, ValueError, LookupError) as error:
            labels.note(Kind.BAD_XML, file, f'it cannot be read ({error})')
            continue
        names = [file.stem, root.findtext('filename', '').strip() or file.stem]
        if PureWindowsPath(names[1]).stem == file.stem:
            names.reverse()  # with its ending, which a mask of the same name has not
        if opened := images.open(names, file, labels):
            part = parts.get(file.stem) or images.part(file, opened.path)
            labels.add(*opened, _objects(root, file, labels), part, file, stated_size(root))
    return labels


class _Parts(dict[str, str | None]):
    """The part of each image that the lists of a folder name; None if that is for us to choose, as of trainval."""

    choose = False
    """Whether the lists say what is trained on, so that an image in none of them is left out."""


def _objects(root: ET.Element, file: Path, labels: Labels) -> Iterator[Found]:
    for number, node in enumerate(root.iter('object'), start=1):
        name = node.findtext('name', '').strip()
        if not name:
            labels.note(Kind.INCOMPLETE, file, 'it has no <name>', number)
            continue
        try:
            x1, y1, x2, y2 = (float(node.findtext(f'bndbox/{side}', '')) for side in ('xmin', 'ymin', 'xmax', 'ymax'))
        except ValueError:
            labels.note(Kind.NOT_A_NUMBER, file, 'its <bndbox> does not hold four numbers', number)
            continue
        # VOC counts pixels from 1, and a box holds its last one.
        difficult = node.findtext('difficult', '').strip() == '1'
        yield Found(LabelledObject(name, (x1 - 1, y1 - 1, x2, y2), difficult), file, number)


def _lists(labels: Sequence[Path], files: Sequence[Path]) -> dict[Path, _Parts]:
    """Return what lists as ImageSets/Main/train.txt say, by the folder that ImageSets is in."""
    lists: dict[Path, _Parts] = {}
    for name, part in (('trainval', None), ('train', 'train'), ('val', 'val'), ('test', 'test')):
        for file in (path for path in files if path.parts[-3:] == ('ImageSets', 'Main', f'{name}.txt')):
            parts = lists.setdefault(file.parents[2], _Parts())
            stems = {label.stem for label in labels if file.parents[2] in label.parents}
            names = read_split(file, stems.__contains__) if read_lines(file) else []
            parts |= dict.fromkeys(names, part)
            parts.choose = parts.choose or name.startswith('train')
    return lists
