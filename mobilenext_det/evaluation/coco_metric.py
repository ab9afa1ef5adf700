"""COCO's metric with the classes' names in charge."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mmdet.evaluation import CocoMetric
from mmdet.registry import METRICS

from mobilenext_det.datasets.coco import category_names, read_coco
from mobilenext_det.errors import BadDataError


@METRICS.register_module()
class NamedCocoMetric(CocoMetric):
    """`CocoMetric` which takes label n for the category that has the name of class n.

    MMDetection takes it for the n-th category of the file, so that a class list in another order is evaluated as other
    classes. Objects are numbered anew, from 1: pycocotools takes an object whose id is 0 for one that is not there, and
    of two with one id only one can be found.

    Args:
        ann_file: The file of annotations.
        **kwargs: As for :class:`mmdet.evaluation.CocoMetric`.
    """

    def __init__(self, ann_file: str, **kwargs: Any) -> None:
        content = read_coco(ann_file)
        self._names = category_names(content, ann_file)
        super().__init__(ann_file=ann_file, **kwargs)
        for number, item in enumerate(self._coco_api.dataset['annotations'], start=1):
            item['id'] = number
        self._coco_api.createIndex()
        self._uses = Counter(item['category_id'] for item in content['annotations'])

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Evaluate the whole set.

        Args:
            results: Annotations and predictions of each image.

        Raises:
            BadDataError: If the file has no category of the name of a class.
        """
        self.cat_ids = [self._category(name) for name in self.dataset_meta['classes']]
        return super().compute_metrics(results)

    def _category(self, name: str) -> Any:
        """Return the category of a class; of several that share the name that with the most objects."""
        numbers = [number for number, known in self._names.items() if known == name]
        if not numbers:
            raise BadDataError(
                f'The annotations have no category {name!r}; theirs are {tuple(self._names.values())}, the classes are '
                f'{tuple(self.dataset_meta["classes"])}.'
            )
        return max(numbers, key=lambda number: self._uses[number])
