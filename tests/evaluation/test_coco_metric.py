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


def test_ground_truth_is_what_the_data_set_reads(tmp_path):
    """Objects that leave their image, have no area, or belong to its second entry or to an image that is not there."""
    items = [
        dict(id=1, image_id=1, category_id=0, bbox=[50, 30, 20, 15]),
        dict(id=2, image_id=1, category_id=0, bbox=[5, 5, 0, 8]),
        dict(id=3, image_id=1, category_id=0, bbox=[90, 5, 10, 8]),
        dict(id=4, image_id=2, category_id=0, bbox=[10, 10, 12, 12]),
        dict(id=5, image_id=3, category_id=0, bbox=[10, 10, 12, 12]),
        dict(id=6, category_id=0, bbox=[10, 10, 12, 12]),
        dict(id=7, image_id=[1], category_id=[0], bbox=[10, 10, 12, 12]),
        'no object',
    ]
    images = [dict(id=number, file_name=name, width=60, height=40) for number, name in ((1, 'a'), (2, 'a'), (3, 'b'))]
    content = dict(images=images, annotations=items, categories=[dict(id=0, name='cat')])
    (tmp_path / 'a.json').write_text(json.dumps(content))
    metric = NamedCocoMetric(str(tmp_path / 'a.json'), metric='bbox')
    metric.dataset_meta = dict(classes=('cat',))
    found = dict(
        bboxes=torch.tensor([[50.0, 30, 60, 40], [10, 10, 22, 22]]),
        scores=torch.tensor([0.9, 0.8]),
        labels=torch.tensor([0, 0]),
    )
    for _ in range(2):  # the second time as the first, as in validation after validation
        metric.results.clear()
        metric.process({}, [dict(img_id=1, ori_shape=(40, 60), pred_instances=found)])
        assert np.isclose(metric.compute_metrics(metric.results)['bbox_mAP'], 1)
        assert len(metric._coco_api.dataset['annotations']) == 2


def test_a_class_that_the_file_has_not(metric):
    metric.dataset_meta = dict(classes=('Cat', 'dog'))
    with pytest.raises(BadDataError, match=r"no category 'Cat'; theirs are \('dog', 'cat'\)"):
        metric.compute_metrics(metric.results)


def test_categories_of_one_name_are_one_class(tmp_path, metric):
    """As the data set reads them."""
    file = tmp_path / 'a.json'
    content = json.loads(file.read_text())
    content['categories'][1]['name'] = 'dog'
    file.write_text(json.dumps(content))
    ((truth, found),) = metric.results
    joined = NamedCocoMetric(str(file), metric='bbox')
    joined.dataset_meta = dict(classes=('dog',))
    joined.results = [(truth, found | dict(labels=np.zeros_like(found['labels'])))]
    assert np.isclose(joined.compute_metrics(joined.results)['bbox_mAP'], 1)
