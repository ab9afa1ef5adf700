"""COCO's average precisions: equal to pycocotools' own, except for what difficult objects excuse."""

import contextlib
import io
import math

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mobilenext_det.evaluation import EvaluationSet, ImageRecord
from mobilenext_det.evaluation.coco import coco_average_precision

NAMES = ('AP', 'AP50', 'AP75', 'AP_small', 'AP_medium', 'AP_large')


def records(seed, difficult_share):
    rng = np.random.default_rng(seed)
    result = []
    for index in range(25):
        corner = rng.uniform(0, 300, (6, 2))
        objects = np.hstack([corner, corner + rng.choice([20, 60, 150], (6, 1)) * rng.uniform(0.7, 1.3, (6, 2))])
        labels = rng.integers(0, 2, 6)
        found = np.repeat(objects, 3, 0)
        found += rng.normal(0, 0.07, found.shape) * np.tile(found[:, 2:] - found[:, :2], 2)
        difficult = rng.random(6) < difficult_share
        result.append(
            ImageRecord(str(index), '', objects, labels, difficult, found, np.repeat(labels, 3), rng.random(18))
        )
    return result


@pytest.mark.parametrize('inclusive', [True, False])
def test_equals_pycocotools_without_difficult_objects(inclusive):
    extra, truth, found = float(inclusive), [], []
    items = records(0, 0)
    for image, record in enumerate(items):
        for boxes, labels, rows in (
            (record.object_boxes, record.object_labels, truth),
            (record.boxes, record.labels, found),
        ):
            for (x1, y1, x2, y2), label in zip(boxes.tolist(), labels.tolist(), strict=True):
                box = [x1, y1, x2 - x1 + extra, y2 - y1 + extra]
                rows.append({'image_id': image + 1, 'category_id': label, 'bbox': box})
    for row, score in zip(found, np.concatenate([record.scores for record in items]), strict=True):
        row['score'] = score
    coco = COCO()
    coco.dataset = {
        'images': [{'id': image + 1} for image in range(len(items))],
        'categories': [{'id': 0}, {'id': 1}],
        'annotations': [
            row | {'id': k, 'iscrowd': 0, 'area': row['bbox'][2] * row['bbox'][3]}
            for k, row in enumerate(truth, start=1)
        ],
        'info': {},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), 'bbox')
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    values = coco_average_precision(EvaluationSet.from_records(items, ('a', 'b'), inclusive))
    assert values == dict(zip(NAMES, evaluation.stats[:6].tolist(), strict=True))
    assert 0.2 < values['AP'] < values['AP50'] < 1 and values['AP_small'] > 0


def test_difficult_objects_excuse_by_overlap_only():
    """A small box inside a large difficult object is false; any number of boxes on the object are left out."""
    large, plain, inside = [0.0, 0, 199, 199], [300.0, 300, 349, 349], [80.0, 80, 99, 99]

    def ap50(*found):
        record = ImageRecord(
            '1', '', np.array([plain, large]), [0, 0], [False, True], np.array([*found, plain]), [0] * (len(found) + 1),
            np.linspace(0.9, 0.1, len(found) + 1),
        )  # fmt: skip
        return coco_average_precision(EvaluationSet.from_records([record], ('a',)))['AP50']

    assert ap50(large, large, large) == pytest.approx(1.0)
    assert ap50(inside) == pytest.approx(0.5)


def test_a_size_without_objects_is_undefined():
    box = np.array([[0.0, 0, 19, 19]])
    record = ImageRecord('1', '', box, [0], [False], box, [0], [0.9])
    values = coco_average_precision(EvaluationSet.from_records([record], ('a', 'b')))
    assert values['AP'] == values['AP_small'] == pytest.approx(1.0)
    assert math.isnan(values['AP_large']) and math.isnan(values['AP_medium'])
