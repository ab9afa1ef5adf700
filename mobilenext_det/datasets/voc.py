"""Pascal VOC annotations, read with a check."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from mmdet.datasets import VOCDataset
from mmdet.registry import DATASETS

from mobilenext_det.errors import BadDataError

from .annotation_check import boxes_fit, check_objects, stated_size, unread_content
from .checked import CheckedDataset
from .geometry import size_problem
from .image_check import BrokenImageError, image_size
from .image_files import IMAGE_SUFFIXES, ImageFinder
from .problems import Kind
from .reading import reading_trouble
from .split_file import read_split


@DATASETS.register_module()
class CheckedVOCDataset(CheckedDataset, VOCDataset):
    """A VOC data set that checks every annotation and image file while it reads them.

    Stock MMDetection trains on boxes without area (the loss becomes inf), with swapped corners (NaN) or outside the
    image (garbage), drops objects of unlisted classes in silence, meets a broken image only when it comes to it, and
    finds only files named ``.jpg`` (mmdetection#8100, #11592, #10085). Here each problem is counted, reported once as a
    table with file and object number, and kept in :attr:`problems`. Valid boxes are read as MMDetection reads them,
    boxes that leave the image are clipped to it, in training and in testing.

    ``ann_file=''`` reads every annotation in the folder of annotations, as for the folders that Roboflow exports, in
    which images and annotations lie side by side: ``ann_file='', img_subdir='', ann_subdir=''``.

    Args:
        keep_difficult: Keep objects flagged difficult, marked to be ignored. By default they are dropped for training
            and kept for testing, as in the VOC protocol.
        **kwargs: As for :class:`~mobilenext_det.datasets.checked.CheckedDataset` and
            :class:`mmdet.datasets.VOCDataset`.
    """

    def __init__(self, *, keep_difficult: bool | None = None, **kwargs: Any) -> None:
        self.keep_difficult = kwargs.get('test_mode', False) if keep_difficult is None else keep_difficult
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the split file and all it names.

        Returns:
            One entry per usable image, as :class:`mmdet.datasets.XMLDataset` makes them.
        """
        self.problems = []
        self._find_image = ImageFinder()
        image_ids = self._read_split()
        entries = [self._read_image_entry(image_id) for image_id in self._tracked(image_ids)]
        data_list = [entry for entry in entries if entry]
        self._report(data_list, len(image_ids))
        return data_list

    def _read_split(self) -> list[str]:
        annotations = Path(self.sub_data_root, self.ann_subdir)
        if not self.ann_file:
            image_ids = sorted(path.stem for path in annotations.glob('*.xml'))
            if not image_ids:
                raise BadDataError(f'{annotations}: there is no annotation here, and ann_file names no list of images.')
            return image_ids
        if not os.path.isfile(self.ann_file):
            raise BadDataError(missing_split(self.ann_file, annotations))
        listed = read_split(self.ann_file, lambda name: os.path.isfile(annotations / f'{name}.xml'))
        image_ids = list(dict.fromkeys(listed))
        if len(image_ids) < len(listed):
            twice = next(name for name in image_ids if listed.count(name) > 1)
            for _ in range(len(listed) - len(image_ids)):
                self._note(Kind.TWICE, self.ann_file, f'it names {twice} more than once')
        return image_ids

    def _read_image_entry(self, image_id: str) -> dict | None:
        """Read one image's annotation; None if the image cannot be used."""
        xml_path = os.path.join(self.sub_data_root, self.ann_subdir, f'{image_id}.xml')
        try:
            root = ET.parse(xml_path).getroot()
        except FileNotFoundError:
            return self._skip(Kind.NO_XML, xml_path, f'{self.ann_file} names it, but it does not exist')
        except (OSError, MemoryError) as error:
            if trouble := reading_trouble(error, xml_path):
                raise trouble from error
            return self._skip(Kind.BAD_XML, xml_path, f'it cannot be read as XML ({error})')
        except (ET.ParseError, ValueError, LookupError) as error:
            return self._skip(Kind.BAD_XML, xml_path, f'it cannot be read as XML ({error})')
        if root.tag != 'annotation':
            return self._skip(Kind.BAD_XML, xml_path, f'it holds <{root.tag}>, not <annotation>')
        if (unread := unread_content(root)) is not None:
            return self._skip(Kind.NOTHING_READ, xml_path, f'it has no <object>, but numbers in <{unread}>')
        return self._with_image(image_id, xml_path, root)

    def _with_image(self, image_id: str, xml_path: str, root: ET.Element) -> dict | None:
        stem = os.path.join(self.sub_data_root, self.img_subdir, image_id)
        image_path = self._find_image(stem)
        if image_path is None:
            return self._skip(Kind.NO_IMAGE, stem, f'no file of this name ends in {", ".join(IMAGE_SUFFIXES)}')
        try:
            size = image_size(image_path)
        except BrokenImageError as error:
            return self._skip(Kind.BROKEN_IMAGE, image_path, str(error))
        wrong = size_problem(stated_size(root), image_path, size, boxes_fit(root, size))
        if wrong:
            self._note(wrong[0], xml_path, wrong[1])
            if not wrong[0].corrected:
                return None
        objects, problems = check_objects(root, xml_path, size, self.labels, one_pixel=self.test_mode)
        self.problems += problems
        instances = [
            dict(bbox=list(box), bbox_label=label, ignore_flag=int(difficult or self._too_small(box)))
            for label, box, difficult in objects
            if self.keep_difficult or not difficult
        ]
        if self._nothing_left(xml_path, instances, problems):
            return None
        return dict(
            img_path=image_path,
            img_id=image_id,
            xml_path=xml_path,
            width=size[0],
            height=size[1],
            instances=instances,
        )

    def _too_small(self, box: tuple[int, int, int, int]) -> bool:
        return self.bbox_min_size is not None and min(box[2] - box[0], box[3] - box[1]) < self.bbox_min_size


def missing_split(ann_file: str, annotations: str | Path) -> str:
    """Say that a list of images is missing, and what may have been meant.

    Args:
        ann_file: The list.
        annotations: The folder of annotations.
    """
    count = sum(1 for _ in Path(annotations).glob('*.xml'))
    advice = f"; ann_file='' reads all {count} annotations of {annotations}" if count else ''
    return f'{ann_file}: the split file is missing; check data_root and ann_file{advice}.'
