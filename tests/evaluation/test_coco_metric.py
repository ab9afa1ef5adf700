"""COCO's metric goes by the classes' names, and finds every object whatever its id."""

import json

import numpy as np
import pytest
import torch

from mobilenext_det.errors import BadDataError
from mobilenext_det.evaluation import NamedCocoMetric


@pytest.fixture
def metric(tmp_path):
    """Perfect detections of two objects, both with the id 0, of categories in another order than the classes."""
    boxes = ([10, 10, 20, 15], [30, 5, 12, 12])
    items = [
        dict(id=0, image_id=1, category_id=number, bbox=box, area=box[2] * box[3], iscrowd=0)
        for number, box in zip((0, 7), boxes, strict=True)
    ]
    categories = [dict(id=0, name='dog'), dict(id=7, name='cat')]
    images = [dict(id=1, file_name='a.jpg', width=60, height=40)]
    (tmp_path / 'a.json').write_text(json.dumps(dict(images=images, annotations=items, categories=categories)))
    metric = NamedCocoMetric(str(tmp_path / 'a.json'), metric='bbox')
    corners = torch.tensor([[x, y, x + w, y + h] for x, y, w, h in boxes], dtype=torch.float32)
    found = dict(bboxes=corners, scores=torch.tensor([0.9, 0.8]), labels=torch.tensor([1, 0]))
    metric.process({}, [dict(img_id=1, ori_shape=(40, 60), pred_instances=found)])
    return metric


def test_names_decide(metric):
    metric.dataset_meta = dict(classes=('cat', 'dog'))
    assert np.isclose(metric.compute_metrics(metric.results)['bbox_mAP'], 1)


def test_a_class_that_the_file_has_not(metric):
    metric.dataset_meta = dict(classes=('Cat', 'dog'))
    with pytest.raises(BadDataError, match=r"no category 'Cat'; theirs are \('dog', 'cat'\)"):
        metric.compute_metrics(metric.results)
