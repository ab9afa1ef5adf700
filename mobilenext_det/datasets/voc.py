"""Pascal VOC annotations, read with a check."""

from __future__ import annotations

import logging
import os
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from io import StringIO
from itertools import islice
from typing import Any

from mmdet.datasets import VOCDataset
from mmdet.registry import DATASETS
from mmdet.visualization.palette import get_palette
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.fileio import list_from_file
from mmengine.logging import print_log
from rich.console import Console
from rich.progress import track
from rich.table import Table

from mobilenext_det.errors import BadDataError

from .annotation_check import Kind, Problem, check_objects, stated_size
from .image_check import BrokenImageError, image_size

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.JPG', '.JPEG', '.PNG', '.BMP')
"""Image files looked for, in this order."""
NUM_EXAMPLES = 3
"""How many problems of a kind the report names; the data set's ``problems`` holds all."""


@DATASETS.register_module()
class CheckedVOCDataset(VOCDataset):
    """A VOC data set that checks every annotation and image file while it reads them.

    Stock MMDetection trains on boxes without area (the loss becomes inf), with swapped corners (NaN) or outside the
    image (garbage), drops objects of unlisted classes in silence, meets a broken image only when it comes to it, and
    finds only files named ``.jpg`` (mmdetection#8100, #11592, #10085). Here each problem is counted, reported once as a
    table with file and object number, and kept in :attr:`problems`. Valid boxes are read as MMDetection reads them.

    Files are read from the local disk; ``backend_args`` of other storage is not supported.

    Args:
        on_bad_data: 'skip' leaves bad objects and images out, 'stop' raises at the end of reading. Boxes that leave the
            image by a pixel or two are clipped, and a missing <difficult> is read as 0, in both.
        ignore_unknown_classes: Leave out objects whose class is not in the list. By default they stop the run whatever
            ``on_bad_data`` says, because a misspelt class would otherwise train to nothing.
        keep_difficult: Keep objects flagged difficult, marked to be ignored. By default they are dropped for training
            and kept for testing, as in the VOC protocol.
        **kwargs: As for :class:`mmdet.datasets.VOCDataset`.

    Attributes:
        problems: Every :class:`~mobilenext_det.datasets.annotation_check.Problem` found.

    Raises:
        BadDataError: If bad data was found and is not to be skipped, or if no usable image or object is left.
    """

    def __init__(
        self,
        *,
        on_bad_data: str = 'skip',
        ignore_unknown_classes: bool = False,
        keep_difficult: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if on_bad_data not in ('skip', 'stop'):
            raise ValueError(f"on_bad_data is {on_bad_data!r}; it must be 'skip' or 'stop'.")
        if kwargs.get('backend_args'):
            raise ValueError(
                f'backend_args={kwargs["backend_args"]} is given, but images are checked on a local disk only.'
            )
        self.on_bad_data = on_bad_data
        self.ignore_unknown_classes = ignore_unknown_classes
        self.keep_difficult = kwargs.get('test_mode', False) if keep_difficult is None else keep_difficult
        self.problems: list[Problem] = []
        super().__init__(**kwargs)

    @classmethod
    def _load_metainfo(cls, metainfo: Mapping | Config | None = None) -> dict:
        """Refuse ``classes=('dog')``, a string for want of a comma, and give each of many classes a colour."""
        loaded = super()._load_metainfo(metainfo)
        classes, palette = loaded['classes'], loaded['palette']
        if isinstance(classes, str):
            raise BadDataError(
                f'classes={classes!r} is one string; write classes=({classes!r},) with a comma for one class.'
            )
        if not classes or len(set(classes)) < len(classes):
            raise BadDataError(f'classes={classes!r} must name at least one class, and each class once.')
        if len(palette) < len(classes):
            loaded['palette'] = [tuple(map(int, colour)) for colour in get_palette('random', len(classes))]
        return loaded

    def load_data_list(self) -> list[dict]:
        """Read the split file and all it names.

        Returns:
            One entry per usable image, as :class:`mmdet.datasets.XMLDataset` makes them.
        """
        image_ids = self._read_split()
        labels = {name: label for label, name in enumerate(self._metainfo['classes'])}
        self.problems = []
        terminal = Console(stderr=True)
        bar = track(
            image_ids,
            description=f'Checking {self.ann_file}',
            transient=True,
            console=terminal,
            disable=not (terminal.is_terminal and is_main_process()),
        )
        data_list = [entry for image_id in bar if (entry := self._read_image_entry(image_id, labels))]
        self._report(data_list, len(image_ids))
        return data_list

    def _read_split(self) -> list[str]:
        if not os.path.isfile(self.ann_file):
            raise FileNotFoundError(f'{self.ann_file}: the split file is missing; check data_root and ann_file.')
        image_ids = [line.strip() for line in list_from_file(self.ann_file) if line.strip()]
        if not image_ids:
            raise BadDataError(f'{self.ann_file}: the split file is empty; it must name one image a line.')
        return image_ids

    def _read_image_entry(self, image_id: str, labels: dict[str, int]) -> dict | None:
        """Read one image's annotation; None if the image cannot be used."""
        xml_path = os.path.join(self.sub_data_root, self.ann_subdir, f'{image_id}.xml')
        image_stem = os.path.join(self.sub_data_root, self.img_subdir, image_id)
        try:
            root = ET.parse(xml_path).getroot()
        except FileNotFoundError:
            return self._skip(Kind.NO_XML, xml_path, f'{self.ann_file} names it, but it does not exist')
        except (OSError, ET.ParseError, ValueError, LookupError) as error:
            return self._skip(Kind.BAD_XML, xml_path, f'it cannot be read as XML ({error})')
        if root.tag != 'annotation':
            return self._skip(Kind.BAD_XML, xml_path, f'it holds <{root.tag}>, not <annotation>')
        image_path = _find_image(image_stem)
        if image_path is None:
            return self._skip(Kind.NO_IMAGE, image_stem, f'no file of this name ends in {", ".join(IMAGE_SUFFIXES)}')
        try:
            size = image_size(image_path)
        except BrokenImageError as error:
            return self._skip(Kind.BROKEN_IMAGE, image_path, str(error))
        if (stated := stated_size(root)) not in (None, size):
            return self._skip(
                Kind.WRONG_SIZE, xml_path, f'it says {stated}, the image loads as {size}: boxes may not fit'
            )
        objects, problems = check_objects(root, xml_path, size, labels)
        self.problems += problems
        return dict(
            img_path=image_path,
            img_id=image_id,
            xml_path=xml_path,
            width=size[0],
            height=size[1],
            instances=[
                dict(bbox=list(box), bbox_label=label, ignore_flag=int(difficult or self._too_small(box)))
                for label, box, difficult in objects
                if self.keep_difficult or not difficult
            ],
        )

    def _skip(self, kind: Kind, path: str, detail: str) -> dict | None:
        """Note a problem, and return the entry of an image that has one: none."""
        self.problems.append(Problem(kind, path, detail))
        return None

    def _too_small(self, box: tuple[int, int, int, int]) -> bool:
        return self.bbox_min_size is not None and min(box[2] - box[0], box[3] - box[1]) < self.bbox_min_size

    def filter_data(self) -> list[dict]:
        """Filter as :class:`mmdet.datasets.XMLDataset` does, but never down to nothing."""
        data_list = super().filter_data()
        if not data_list:
            raise BadDataError(
                f'{self.ann_file}: filter_cfg={self.filter_cfg} leaves none of {len(self.data_list)} images; '
                'no object of the classes is left in them, or they are too small.'
            )
        return data_list

    def _report(self, data_list: list[dict], num_images: int) -> None:
        """Log what was read and what was wrong with it, and stop if the configuration or common sense says so."""
        objects = sum(len(entry['instances']) for entry in data_list)
        summary = f'{self.ann_file}: {len(data_list)} of {num_images} images and {objects} objects are usable.'
        if self.problems:
            print_log(f'{summary}\n{_table(self.problems)}', logger='current', level=logging.WARNING)
        else:
            print_log(summary, logger='current')
        unknown = [problem for problem in self.problems if problem.kind is Kind.UNKNOWN_CLASS]
        bad = [problem for problem in self.problems if not problem.kind.corrected]
        if unknown and not (self.ignore_unknown_classes and objects):
            counts = Counter(problem.detail for problem in unknown).most_common(10)
            raise BadDataError(
                f'{unknown[0]}; the classes are {tuple(self._metainfo["classes"])}: correct the XML files or '
                'metainfo=dict(classes=...), or leave such objects out with ignore_unknown_classes=True (in all '
                f'{", ".join(f"{count} x {detail}" for detail, count in counts)}).'
            )
        if bad and self.on_bad_data == 'stop':
            raise BadDataError(
                f'{bad[0]}; it is the first of {len(bad)} problems in {self.ann_file}: correct the files, or leave '
                "the bad objects and images out with on_bad_data='skip'."
            )
        if not data_list:
            raise BadDataError(f'{bad[0]}; none of the {num_images} images of {self.ann_file} can be used.')


def _find_image(stem: str) -> str | None:
    return next((stem + suffix for suffix in IMAGE_SUFFIXES if os.path.isfile(stem + suffix)), None)


def _table(problems: list[Problem]) -> str:
    """Lay out how often each kind of problem occurs, and its first examples below."""
    table = Table('problem', 'count', 'action')
    examples = ''
    for kind, count in Counter(problem.kind for problem in problems).most_common():
        table.add_row(kind.text, str(count), kind.action)
        examples += ''.join(f'{problem}\n' for problem in islice((p for p in problems if p.kind is kind), NUM_EXAMPLES))
    text = StringIO()
    Console(file=text, width=100).print(table)
    return f'{text.getvalue()}First examples:\n{examples}'
