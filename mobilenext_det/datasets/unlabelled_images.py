"""Images without labels, for a teacher to look at."""

from __future__ import annotations

import os

from mmdet.registry import DATASETS
from mmengine.dataset import BaseDataset

from mobilenext_det.errors import BadDataError
from mobilenext_det.files import files_below

from .image_files import is_image
from .split_file import read_lines


@DATASETS.register_module()
class UnlabelledImages(BaseDataset):
    """All images below a folder, or those that a list names; their label is -1.

    Args:
        ann_file: A list below `data_root` that begins each line with the name of an image below
            `data_prefix['img_path']`, with or without its ending, as VOC's `ImageSets/Main/trainval.txt` does: so the
            images of a test set that lie in the same folder are not taken.
        **kwargs: As for :class:`mmengine.dataset.BaseDataset`; `data_prefix=dict(img_path='VOC2007/JPEGImages')` is
            the folder.

    Raises:
        BadDataError: If the folder or the list is missing, holds no image, or names one that is not there.
    """

    METAINFO = dict(classes=())

    def load_data_list(self) -> list[dict]:
        """List the images.

        Returns:
            One `dict(img_path=..., label=-1)` for each image, in the order of their paths or of the list.
        """
        folder = os.path.normpath(self.data_prefix.get('img_path') or self.data_root)
        if not os.path.isdir(folder):
            raise BadDataError(f'{folder}: there is no such folder of images; check data_root and data_prefix.')
        found = {str(path) for path in files_below(folder) if is_image(path.name)}
        paths = self._listed(folder, found) if self.ann_file else sorted(found)
        if not paths:
            raise BadDataError(f'{self.ann_file or folder}: there are no images here.')
        return [dict(img_path=path, label=-1) for path in paths]

    def _listed(self, folder: str, found: set[str]) -> list[str]:
        if not os.path.isfile(self.ann_file):
            raise BadDataError(f'{self.ann_file}: the list of images is missing; check ann_file.')
        by_name = {os.path.splitext(path)[0]: path for path in found} | {path: path for path in found}
        lines = read_lines(self.ann_file)
        names = [line if os.path.join(folder, line) in by_name else line.split()[0] for line in lines]
        missing = [name for name in names if os.path.join(folder, name) not in by_name]
        if missing:
            raise BadDataError(f'{self.ann_file}: there is no image {missing[0]} in {folder} ({len(missing)} in all).')
        return [by_name[os.path.join(folder, name)] for name in names]
