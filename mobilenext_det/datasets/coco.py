"""COCO annotations, read with the check that VOC's are read with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from mmdet.datasets import CocoDataset
from mmdet.registry import DATASETS

from mobilenext_det.errors import BadDataError

from .annotation_check import label_of
from .checked import CheckedDataset
from .geometry import Size, clip_box, overhang_kind, size_problem
from .image_check import BrokenImageError, image_size
from .problems import BadObjectError, Kind
from .split_file import read_text

LARGEST = 1e9  # pixels
PARTS = ('images', 'annotations', 'categories')


@DATASETS.register_module()
class CheckedCocoDataset(CheckedDataset, CocoDataset):
    """A COCO data set that is checked as :class:`~mobilenext_det.datasets.voc.CheckedVOCDataset` checks VOC's.

    Stock MMDetection drops objects of classes that are not in the list, or that differ from it in a capital letter, in
    silence; with none left it says `need at least one array to concatenate`; it believes the width and height in the
    file, drops boxes by these, and numbers the classes by the file's categories, not by their names (mmdetection#9741,
    #10294, #11406). Here names decide: a label is the place of a category's name in ``metainfo['classes']``. So
    :class:`~mobilenext_det.evaluation.coco_metric.NamedCocoMetric` reads the detections, too, where ``CocoMetric``
    goes by the order of the categories.

    Args:
        **kwargs: As for :class:`~mobilenext_det.datasets.checked.CheckedDataset` and
            :class:`mmdet.datasets.CocoDataset`.
    """

    def load_data_list(self) -> list[dict]:
        """Read the file and look at every image it names.

        Returns:
            One entry per usable image, as :class:`mmdet.datasets.CocoDataset` makes them.
        """
        self.problems = []
        content = read_coco(self.ann_file)
        names = category_names(content, self.ann_file)
        images, same = self._images(content['images'])
        objects: dict[Any, list[dict]] = {number: [] for number in images}
        for place, item in enumerate(content['annotations'], start=1):
            if not isinstance(item, dict) or not is_id(item.get('image_id')):
                self._note(Kind.BAD_RECORD, self.ann_file, f'annotation {place} has no image_id', place)
            elif item['image_id'] not in same:
                detail = f'image {item["image_id"]!r} is not among the images, or not usable'
                self._note(Kind.NO_SUCH_IMAGE, self.ann_file, detail, _name(item, place))
            else:
                objects[same[item['image_id']]].append(item)
        self._note_same_objects(content['annotations'])
        entries = [self._read_image(image, objects[n], names) for n, image in self._tracked(list(images.items()))]
        data_list = [entry for entry in entries if entry]
        self._report(data_list, len(content['images']))
        return data_list

    def _images(self, records: list) -> tuple[dict[Any, dict], dict[Any, Any]]:
        """Return the images by id, and for each usable id that under which its image is read: once for each file."""
        by_id: dict[Any, list[dict]] = {}
        for place, record in enumerate(records, start=1):
            if not isinstance(record, dict) or not _is_text(record.get('file_name')):
                self._note(Kind.BAD_RECORD, self.ann_file, f'image {place} has no file_name')
            elif not is_id(record.get('id')):
                self._note(Kind.BAD_RECORD, self.ann_file, f'image {place} ({record["file_name"]}) has no id')
            else:
                by_id.setdefault(record['id'], []).append(record)
        first: dict[str, Any] = {}
        images, same = {}, {}
        for number, records in by_id.items():
            files = sorted({record['file_name'] for record in records})
            if len(files) > 1:
                for file in files:
                    self._note(Kind.SAME_NUMBER, self.ann_file, f'id {number!r} is that of {file} and of others')
                continue
            same[number] = first.setdefault(files[0], number)
            for _ in records if same[number] != number else records[1:]:
                self._note(Kind.TWICE, self.ann_file, f'image {number!r} ({files[0]}) stands there more than once')
            if same[number] == number:
                images[number] = records[0]
        return images, same

    def _note_same_objects(self, items: list) -> None:
        """Note objects that share an id: none is dropped, as which is meant does not matter here."""
        seen: set = set()
        for item in items:
            if isinstance(item, dict) and is_id(item.get('id')):
                if item['id'] in seen:
                    self._note(Kind.SAME_OBJECT, self.ann_file, f'id {item["id"]!r} is that of several', item['id'])
                seen.add(item['id'])

    def _read_image(self, record: dict, items: list[dict], names: dict[Any, str]) -> dict | None:
        """Read one image; None if it cannot be used."""
        path = os.path.join(self.data_prefix.get('img') or '', record['file_name'])
        if not os.path.isfile(path):
            return self._skip(Kind.NO_IMAGE, path, f'{self.ann_file} names it, but it does not exist')
        try:
            size = image_size(path)
        except BrokenImageError as error:
            return self._skip(Kind.BROKEN_IMAGE, path, str(error))
        wrong = size_problem(stated_size(record), path, size, _boxes_fit(items, size))
        if wrong:
            self._note(wrong[0], f'{self.ann_file}, {record["file_name"]}', wrong[1])
            if not wrong[0].corrected:
                return None
        known = len(self.problems)
        instances = [self._instance(item, place, size, names) for place, item in enumerate(items, start=1)]
        usable = [instance for instance in instances if instance]
        if self._nothing_left(path, usable, self.problems[known:]):
            return None
        return dict(
            img_path=path, img_id=record['id'], seg_map_path=None, width=size[0], height=size[1], instances=usable
        )

    def _instance(self, item: dict, place: int, size: Size, names: dict[Any, str]) -> dict | None:
        where = f'{self.ann_file}, image {item["image_id"]!r}'
        try:
            label = _label(item, names, self.labels)
            box, overhang = object_box(item, size)
        except BadObjectError as bad:
            return self._skip(bad.kind, where, bad.detail, _name(item, place))
        if overhang:
            detail = f'the box leaves the image by {overhang:g} px'
            self._note(overhang_kind(overhang), where, detail, _name(item, place))
        ignored = is_ignored(item)
        if ignored:
            self._note(
                Kind.CROWD, where, f'iscrowd={item.get("iscrowd")}, ignore={item.get("ignore")}', _name(item, place)
            )
        instance = dict(bbox=list(box), bbox_label=label, ignore_flag=int(ignored))
        return instance | (dict(mask=item['segmentation']) if item.get('segmentation') else {})


def read_coco(path: str) -> dict[str, list]:
    """Read a file of annotations.

    Raises:
        BadDataError: If it is missing, no JSON, or not what COCO's are.
    """
    if not os.path.isfile(path):
        raise BadDataError(f'{path}: the file of annotations is missing; check data_root and ann_file.')
    text = read_text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadDataError(f'{path} is no JSON: {error}.') from None
    for part in PARTS:
        if not isinstance(content, dict) or not isinstance(content.get(part), list):
            raise BadDataError(f'{path} is no COCO file: it needs lists {", ".join(PARTS)}, and has no {part}.')
    if not content['images']:
        raise BadDataError(f'{path} names no images.')
    return {part: content[part] for part in PARTS}


def category_names(content: dict[str, list], path: str) -> dict[Any, str]:
    """Return the name of each category by its id.

    Raises:
        BadDataError: If one has no id or name, or two have one id.
    """
    names: dict[Any, str] = {}
    for category in content['categories']:
        if not isinstance(category, dict) or not is_id(category.get('id')) or not _is_text(category.get('name')):
            raise BadDataError(f'{path}: the category {category!r} has no id or no name.')
        if names.setdefault(category['id'], category['name']) != category['name']:
            raise BadDataError(
                f'{path}: two categories have the id {category["id"]!r}, {names[category["id"]]!r} and '
                f'{category["name"]!r}; give each its own, and the objects theirs.'
            )
    return names


def stated_size(record: dict) -> Size | None:
    """Return the (width, height) an image's entry states; None where they are missing, zero or no numbers."""
    sides = [int(record[side]) if is_number(record.get(side)) else 0 for side in ('width', 'height')]
    return (sides[0], sides[1]) if min(sides) > 0 else None


def _label(item: dict, names: dict[Any, str], labels: dict[str, int]) -> int:
    number = item.get('category_id')
    if not is_id(number):
        raise BadObjectError(Kind.INCOMPLETE, 'it has no category_id')
    if number not in names:
        raise BadObjectError(Kind.UNKNOWN_CLASS, f'category_id {number!r} is none of the categories {list(names)}')
    return label_of(names[number], labels)


def object_box(item: dict, size: Size) -> tuple[tuple[float, ...], float]:
    """Return an object's box, clipped to its image.

    Args:
        item: The object's entry.
        size: Width and height of the image.

    Returns:
        The box as (x1, y1, x2, y2), and by how many pixels it was clipped.

    Raises:
        BadObjectError: If it has none that can be used.
    """
    box = item.get('bbox')
    if not isinstance(box, list) or len(box) != 4:
        raise BadObjectError(Kind.INCOMPLETE, f'its bbox is {box!r}, not four numbers')
    if not all(map(is_number, box)):
        raise BadObjectError(Kind.NOT_A_NUMBER, f'its bbox is {box!r}')
    x, y, width, height = box
    if width < 0 or height < 0:
        raise BadObjectError(Kind.SWAPPED, f'the box {box} has a negative width or height')
    return clip_box((x, y, x + width, y + height), 0, size)


def is_ignored(item: dict) -> bool:
    """Tell whether an object is a crowd, or otherwise neither learnt nor counted."""
    return bool(item.get('iscrowd') or item.get('ignore'))


def _boxes_fit(items: Iterable[dict], size: Size) -> bool:
    boxes = [item.get('bbox') for item in items]
    proper = [box for box in boxes if isinstance(box, list) and len(box) == 4 and all(map(is_number, box))]
    return all(x + width <= size[0] and y + height <= size[1] for x, y, width, height in proper)


def is_number(value: Any) -> bool:
    """Tell whether a value is a number that coordinates can be: JSON has true, NaN and whole numbers without end."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def is_id(value: Any) -> bool:
    """Tell whether a value can be an id."""
    return isinstance(value, int | str) and not isinstance(value, bool)


def _name(item: dict, place: int) -> int | str:
    """Return an object's id, or its place where it has none."""
    return item['id'] if is_id(item.get('id')) else place
