"""Which format the labels of a folder have, told from what the files hold."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from mobilenext_det.datasets.split_file import read_text
from mobilenext_det.errors import BadDataError

from . import coco_json, cvat_xml, labelme_json, voc_xml, yolo_text
from .images import Images
from .labels import Labels
from .yolo_data import LISTS_OF_NAMES

READERS: dict[str, ModuleType] = {
    'voc': voc_xml,
    'coco': coco_json,
    'yolo': yolo_text,
    'labelme': labelme_json,
    'cvat': cvat_xml,
}


def read_labels(folder: Path, form: str | None = None, without: Path | None = None) -> Labels:
    """Read a folder of labelled images, in whatever format it is.

    Args:
        folder: The folder; images and labels may lie below it in any order.
        form: One of `READERS`, where labels of several formats are there; None to find out.
        without: A folder below it that is passed over.

    Raises:
        BadDataError: If there is no folder, no image, or no label; or labels of several formats.
    """
    if not folder.is_dir():
        raise BadDataError(f'There is no folder {folder}.')
    images = Images(folder, without)
    if not images.paths:
        raise BadDataError(f'{folder}: there is no image here, at any depth.')
    found = {name: files for name, files in _label_files(images, form).items() if files}
    if not found:
        kind = READERS[form].FORM if form else ', '.join(reader.FORM for reader in READERS.values())
        raise BadDataError(f'{folder}: there are {len(images.paths)} images here, but no labels ({kind}).')
    if len(found) > 1:
        counted = ', '.join(f'{len(files)} of {READERS[name].FORM}' for name, files in found.items())
        raise BadDataError(
            f'{folder}: there are labels of several formats here ({counted}): choose with --format {"|".join(found)}.'
        )
    ((name, files),) = found.items()
    return READERS[name].read(files, images)


def _label_files(images: Images, form: str | None) -> dict[str, list[Path]]:
    """Return the label files of each format, or of one."""
    found: dict[str, list[Path]] = {name: [] for name in READERS if form in (name, None)}
    suffixes = {READERS[name].SUFFIX for name in found}
    stems = {path.stem.casefold() for path in images.paths}
    for file in (path for path in images.files if path.suffix.lower() in suffixes):
        name = _TELL[file.suffix.lower()](file, stems)
        if name in found:
            found[name].append(file)
    return found


def _of_xml(file: Path, stems: set[str]) -> str | None:
    try:
        _, root = next(ET.iterparse(file, events=('start',)))
    except (ET.ParseError, StopIteration, ValueError, LookupError):
        return 'voc'  # whose reader says what is wrong with it
    return {'annotation': 'voc', 'annotations': 'cvat'}.get(root.tag)


def _of_json(file: Path, stems: set[str]) -> str | None:
    try:
        content = json.loads(read_text(file))
    except ValueError as error:
        raise BadDataError(f'{file}: it cannot be read as JSON ({error}); mend it or take it away.') from None
    if not isinstance(content, dict):
        return None
    if all(isinstance(content.get(key), list) for key in ('images', 'annotations', 'categories')):
        return 'coco'  # captions have no categories
    return 'labelme' if isinstance(content.get('shapes'), list) else None


def _of_text(file: Path, stems: set[str]) -> str | None:
    return 'yolo' if file.stem.casefold() in stems and file.name not in LISTS_OF_NAMES else None


_TELL: dict[str, Callable[[Path, set[str]], str | None]] = {'.xml': _of_xml, '.json': _of_json, '.txt': _of_text}
