"""COCO's metric with the classes' names in charge."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mmdet.datasets.api_wrappers import COCO
from mmdet.evaluation import CocoMetric
from mmdet.registry import METRICS
from mmengine.logging import print_log

from mobilenext_det.datasets.coco import category_names, is_id, is_ignored, is_number, object_box, read_coco
from mobilenext_det.datasets.geometry import Size
from mobilenext_det.datasets.problems import BadObjectError
from mobilenext_det.errors import BadDataError


@METRICS.register_module()
class NamedCocoMetric(CocoMetric):
    """`CocoMetric` which takes label n for the category that has the name of class n.

    MMDetection takes it for the n-th category of the file, so that a class list in another order is evaluated as other
    classes. Objects are numbered anew, from 1: pycocotools takes an object whose id is 0 for one that is not there, and
    of two with one id only one can be found. The ground truth is what
    :class:`~mobilenext_det.datasets.coco.CheckedCocoDataset` reads of the file: boxes clipped to their image, without
    objects that have no usable box, and of the images that were evaluated.

    Args:
        ann_file: The file of annotations.
        **kwargs: As for :class:`mmdet.evaluation.CocoMetric`.
    """

    def __init__(self, ann_file: str, **kwargs: Any) -> None:
        self._content = read_coco(ann_file)
        self._names = category_names(self._content, ann_file)
        super().__init__(**kwargs)
        self._coco_api = COCO()
        numbers = (item.get('category_id') for item in self._content['annotations'] if isinstance(item, dict))
        self._uses = Counter(filter(is_id, numbers))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Evaluate the images that were given.

        Args:
            results: Annotations and predictions of each image.

        Raises:
            BadDataError: If the file has no category of the name of a class.
        """
        self.cat_ids = [self._category(name) for name in self.dataset_meta['classes']]
        sizes = {truth['img_id']: (truth['width'], truth['height']) for truth, _ in results}
        self.img_ids = list(sizes)
        self._coco_api.dataset = self._ground_truth(sizes)
        self._coco_api.createIndex()
        return super().compute_metrics(results)

    def _ground_truth(self, sizes: dict[Any, Size]) -> dict[str, list]:
        """Return the part of the file that counts.

        Args:
            sizes: Width and height of each image that was evaluated, by its id.
        """
        records = [record for record in self._content['images'] if isinstance(record, dict) and is_id(record.get('id'))]
        files = {record['id']: record.get('file_name') for record in records}
        evaluated = {files[number]: number for number in sizes}  # a file that stands there twice is read once
        counted = {number: self._category(name) for number, name in self._names.items()}  # names decide
        objects: list[dict] = []
        clipped = dropped = 0
        for item in self._content['annotations']:
            number = item.get('image_id') if isinstance(item, dict) else None
            image = evaluated.get(files.get(number)) if is_id(number) else None
            if image is None:
                continue
            try:
                (x1, y1, x2, y2), overhang = object_box(item, sizes[image])
            except BadObjectError:
                dropped += 1
                continue
            clipped += overhang > 0
            box = [x1, y1, x2 - x1, y2 - y1]
            # COCO's own area is that of the outline: kept as long as its box is.
            area = item['area'] if not overhang and is_number(item.get('area')) else box[2] * box[3]
            known = dict(id=len(objects) + 1, image_id=image, bbox=box, area=area, iscrowd=int(is_ignored(item)))
            number = item.get('category_id')
            objects.append(item | known | dict(category_id=counted.get(number) if is_id(number) else None))
        if clipped or dropped:
            print_log(
                f'Ground truth: {clipped} boxes were clipped to their images, {dropped} were left out.', 'current'
            )
        images = [record for record in records if record['id'] in sizes]
        return dict(images=images, annotations=objects, categories=self._content['categories'])

    def _category(self, name: str) -> Any:
        """Return the category of a class; of several that share the name that with the most objects."""
        numbers = [number for number, known in self._names.items() if known == name]
        if not numbers:
            raise BadDataError(
                f'The annotations have no category {name!r}; theirs are {tuple(self._names.values())}, the classes are '
                f'{tuple(self.dataset_meta["classes"])}.'
            )
        return max(numbers, key=lambda number: self._uses[number])
