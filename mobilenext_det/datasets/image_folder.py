"""Images for classification, sorted into one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset
from torchvision.datasets.folder import find_classes, make_dataset

from mobilenext_det.errors import BadDataError

from .image_files import IMAGE_SUFFIXES
from .split_file import read_text


@DATASETS.register_module()
class ImageFolder(BaseDataset):
    """torchvision's `ImageFolder` as mmengine's loaders want it: ImageNet, Tiny ImageNet, CIFAR-10 as files, or own.

    The classes are the folders below `class_folder`, in alphabetical order, for training and validation alike: a
    validation folder that lacks a class, or has another one, would otherwise be evaluated by shifted numbers without a
    word.

    Args:
        class_folder: Folder below `data_root` whose folders are the classes, unless `metainfo` has `classes`.
        ann_file: For images that are not in folders by class: a list below `data_root` that begins each line with a
            file below `data_prefix['img_path']` and its class, as Tiny ImageNet's val_annotations.txt does.
        every: Take one image of so many, evenly over the list, so that of every class of a folder the same share is
            left; for experiments that cannot afford all.
        **kwargs: As for :class:`mmengine.dataset.BaseDataset`; `data_prefix=dict(img_path='val')` is the folder.

    Raises:
        BadDataError: If a folder or a file is missing, a class has no images or is not in the list.
    """

    def __init__(self, *, class_folder: str = 'train', ann_file: str = '', every: int = 1, **kwargs: object) -> None:
        self.class_folder = class_folder
        self.every = every
        super().__init__(ann_file=ann_file, **kwargs)

    def load_data_list(self) -> list[dict]:
        """List the images.

        Returns:
            One `dict(img_path=..., label=...)` for each image.
        """
        if 'classes' not in self._metainfo:
            self._metainfo['classes'] = tuple(_folders(os.path.join(self.data_root, self.class_folder)))
        labels = {name: label for label, name in enumerate(self._metainfo['classes'])}
        pairs = self._read_list(labels) if self.ann_file else _read_folders(self.data_prefix['img_path'], labels)
        return [dict(img_path=path, label=label) for path, label in pairs[:: self.every]]

    def _read_list(self, labels: dict[str, int]) -> list[tuple[str, int]]:
        """Read `ann_file`."""
        if not os.path.isfile(self.ann_file):
            raise BadDataError(f'{self.ann_file}: the list of images is missing; check data_root and ann_file.')
        pairs = []
        for number, line in enumerate(read_text(self.ann_file).splitlines(), 1):
            if not line.strip():
                continue
            name, label, *_ = [*line.split(), '', '']
            if label not in labels:
                raise BadDataError(
                    f'{self.ann_file}, line {number}: {label!r} is no class; a line is a file and one of '
                    f'{_few(list(labels))}.'
                )
            path = os.path.join(self.data_prefix['img_path'], name)
            if not os.path.isfile(path):
                raise BadDataError(f'{self.ann_file}, line {number}: there is no {path}.')
            pairs.append((path, labels[label]))
        if not pairs:
            raise BadDataError(f'{self.ann_file}: the list of images is empty.')
        return pairs


def _folders(folder: str) -> list[str]:
    try:
        return find_classes(folder)[0]
    except FileNotFoundError:
        raise BadDataError(f'{folder}: there are no folders of images here, one for each class.') from None


def _read_folders(folder: str, labels: dict[str, int]) -> list[tuple[str, int]]:
    unknown = set(_folders(folder)) - labels.keys()
    if unknown:
        raise BadDataError(f'{folder}: {_few(sorted(unknown))} is none of the classes {_few(list(labels))}.')
    try:
        return make_dataset(folder, labels, IMAGE_SUFFIXES)
    except FileNotFoundError as error:
        raise BadDataError(f'{folder}: {error}') from None


def _few(names: Sequence[str]) -> str:
    """Return names for a sentence: all, or the first ones of many."""
    return ', '.join(names[:5]) + (f' ... ({len(names)} in all)' if len(names) > 5 else '')
