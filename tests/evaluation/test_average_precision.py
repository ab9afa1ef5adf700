"""Matching and average precision against a plain loop, against mmdet's eval_map and against pycocotools."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.evaluation.functional import eval_map
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mobilenext_det.evaluation import EvaluationSet, ImageRecord, summarise
from mobilenext_det.evaluation.average_precision import (
    aligned_iou,
    average_precision,
    candidate_pairs,
    first_best,
    precision_recall,
)

CLASSES = ('a', 'b', 'c', 'never')


def plain_average_precision(records, label, mode):
    """The devkit's algorithm for one class, written as it reads, in Python floats."""
    found = []
    for index, record in enumerate(records):
        for box, score, own in zip(record.boxes.tolist(), record.scores.tolist(), record.labels, strict=True):
            if own == label:
                found.append((-score, len(found), index, box))
    objects = {
        index: [
            [box, difficult, False]
            for box, difficult, own in zip(
                record.object_boxes.tolist(), record.difficult, record.object_labels, strict=True
            )
            if own == label
        ]
        for index, record in enumerate(records)
    }
    positives = sum(not item[1] for items in objects.values() for item in items)
    true, false, recalls, precisions = 0, 0, [], []
    for _, _, index, box in sorted(found):
        best, best_iou = None, -1.0
        for item in objects[index]:
            other = item[0]
            width = min(box[2], other[2]) - max(box[0], other[0]) + 1
            height = min(box[3], other[3]) - max(box[1], other[1]) + 1
            if width > 0 and height > 0:
                areas = [(b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, other)]
                iou = width * height / (sum(areas) - width * height)
                if iou > best_iou:
                    best, best_iou = item, iou
        if best is not None and best_iou >= 0.5:
            if best[1]:
                continue
            if best[2]:
                false += 1
            else:
                true, best[2] = true + 1, True
        else:
            false += 1
        recalls.append(true / positives if positives else 0.0)
        precisions.append(true / (true + false))
    if not positives:
        return None
    if mode == '11points':
        thresholds = [k * 0.1 for k in range(11)]
        return (
            sum(max([p for p, r in zip(precisions, recalls, strict=True) if r >= t], default=0.0) for t in thresholds)
            / 11
        )
    area, before = 0.0, 0.0
    for k, recall in enumerate(recalls):
        area += (recall - before) * max(precisions[k:])
        before = recall
    return area


@st.composite
def record_lists(draw, max_images=5, distinct_scores=False):
    """Images with objects (some difficult), hits, near misses, duplicates, tied scores and classes without objects."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    whole_pixels = draw(st.booleans())
    records = []
    for index in range(draw(st.integers(1, max_images))):
        num_objects, num_found = draw(st.integers(0, 5)), draw(st.integers(0, 12))
        corner, size = rng.uniform(0, 60, (num_objects, 2)), rng.uniform(0, 60, (num_objects, 2))
        objects, labels = np.hstack([corner, corner + size]), rng.integers(0, 3, num_objects)
        found = np.sort(rng.uniform(0, 100, (num_found, 2, 2)), axis=1).reshape(-1, 4)
        found_labels = rng.integers(0, 4, num_found)
        if num_objects and num_found:
            near = rng.random(num_found) < 0.7
            source = rng.integers(0, num_objects, num_found)
            jittered = objects[source] + rng.normal(0, rng.choice([0, 1, 6]), (num_found, 4))
            found[near] = np.sort(jittered.reshape(-1, 2, 2), axis=1).reshape(-1, 4)[near]
            found_labels[near] = np.where(rng.random(num_found) < 0.8, labels[source], found_labels)[near]
        if whole_pixels:
            objects, found = objects.round(), found.round()
        scores = rng.permutation(num_found) / 100 + index / 1e5 + 0.1
        if not distinct_scores and draw(st.booleans()):
            scores = rng.choice([0.2, 0.5, 0.9], num_found)
        records.append(
            ImageRecord(str(index), '', objects, labels, rng.random(num_objects) < 0.3, found, found_labels, scores)
        )
    return records


@settings(max_examples=300, deadline=None)
@given(record_lists())
def test_equals_a_plain_loop(records):
    summary = summarise(EvaluationSet.from_records(records, CLASSES))
    for mode in ('11points', 'area'):
        expected = [plain_average_precision(records, label, mode) for label in range(len(CLASSES))]
        values = [getattr(row, f'AP_{mode}') for row in summary.classes]
        for value, reference in zip(values, expected, strict=True):
            assert np.isnan(value) if reference is None else abs(value - reference) < 1e-12
        defined = [value for value in expected if value is not None]
        mean = getattr(summary, f'mAP_{mode}')
        assert abs(mean - np.mean(defined)) < 1e-12 if defined else np.isnan(mean)


@settings(max_examples=40, deadline=None)
@given(record_lists(max_images=4, distinct_scores=True))
def test_equals_mmdet_where_no_scores_tie(records):
    detections, annotations = [], []
    for record in records:
        rows = np.hstack([record.boxes, record.scores[:, None]])
        detections.append([rows[record.labels == label] for label in range(len(CLASSES))])
        annotations.append(
            {
                'bboxes': record.object_boxes[~record.difficult],
                'labels': record.object_labels[~record.difficult],
                'bboxes_ignore': record.object_boxes[record.difficult],
                'labels_ignore': record.object_labels[record.difficult],
            }
        )
    summary = summarise(EvaluationSet.from_records(records, CLASSES))
    for mode in ('11points', 'area'):
        mean, rows = eval_map(
            detections, annotations, use_legacy_coordinate=True, eval_mode=mode, nproc=1, logger='silent'
        )
        for result, row in zip(summary.classes, rows, strict=True):
            assert (result.objects, result.detections) == (row['num_gts'], row['num_dets'])
            if result.objects:
                assert abs(getattr(result, f'AP_{mode}') - row['ap']) < 1e-6
        if any(result.objects for result in summary.classes):
            assert abs(getattr(summary, f'mAP_{mode}') - mean) < 1e-6


def disjoint_records(rng, num_images=40):
    """Objects in the cells of a grid: no detection overlaps two by half, so that VOC and COCO match alike."""
    records = []
    for index in range(num_images):
        cells = rng.permutation(16)[: rng.integers(1, 9)]
        corner = np.stack([cells % 4, cells // 4], 1) * 100.0 + rng.uniform(0, 20, (len(cells), 2))
        objects = np.hstack([corner, corner + rng.uniform(20, 70, corner.shape)])
        labels = rng.integers(0, 3, len(cells))
        source = rng.integers(0, len(cells), 20)
        found = np.sort((objects[source] + rng.normal(0, 5, (20, 4))).reshape(-1, 2, 2), 1).reshape(-1, 4)
        found_labels = np.where(rng.random(20) < 0.8, labels[source], rng.integers(0, 3, 20))
        difficult = rng.random(len(cells)) < 0.25
        records.append(ImageRecord(str(index), '', objects, labels, difficult, found, found_labels, rng.random(20)))
    return records


class PlainOverlap(COCOeval):
    """pycocotools with crowd regions that overlap as boxes do, which is how VOC leaves difficult objects out."""

    def computeIoU(self, imgId, catId):
        items = self._gts[imgId, catId]
        crowd = [item['iscrowd'] for item in items]
        for item in items:
            item['iscrowd'] = 0
        overlaps = super().computeIoU(imgId, catId)
        for item, flag in zip(items, crowd, strict=True):
            item['iscrowd'] = flag
        return overlaps


def coco_area(records, label):
    """Area-type AP of one class by pycocotools: sampled in the middle of every step of recall, its mean is the area."""
    truth, found = COCO(), COCO()
    common = {'images': [{'id': k + 1} for k in range(len(records))], 'categories': [{'id': 1}]}
    rows = {'truth': [], 'found': []}
    for image, record in enumerate(records, start=1):
        for kind, boxes, own, extra in (
            ('truth', record.object_boxes, record.object_labels, record.difficult),
            ('found', record.boxes, record.labels, record.scores),
        ):
            for (x1, y1, x2, y2), value in zip(boxes[own == label].tolist(), extra[own == label].tolist(), strict=True):
                box = [x1, y1, x2 - x1 + 1, y2 - y1 + 1]
                row = {
                    'id': len(rows[kind]) + 1,
                    'image_id': image,
                    'category_id': 1,
                    'bbox': box,
                    'area': box[2] * box[3],
                }
                rows[kind].append(row | ({'iscrowd': int(value)} if kind == 'truth' else {'score': value}))
    truth.dataset = common | {'annotations': rows['truth']}
    found.dataset = common | {'annotations': rows['found']}
    truth.createIndex()
    found.createIndex()
    evaluation = PlainOverlap(truth, found, 'bbox')
    positives = sum(not row['iscrowd'] for row in rows['truth'])
    evaluation.params.recThrs = (np.arange(positives) + 0.5) / positives
    evaluation.params.iouThrs = np.array([0.5])
    evaluation.params.maxDets = [100]
    evaluation.params.areaRng = [[0, 1e10]]
    evaluation.params.areaRngLbl = ['all']
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation.eval['precision'][0, :, 0, 0, 0].mean()


@pytest.mark.parametrize('seed', range(5))
def test_area_equals_pycocotools(seed):
    records = disjoint_records(np.random.default_rng(seed))
    summary = summarise(EvaluationSet.from_records(records, ('a', 'b', 'c')))
    assert sum(row.difficult for row in summary.classes) > 10
    assert sum(row.ignored for row in summary.classes) > 10
    for label, result in enumerate(summary.classes):
        assert abs(result.AP_area - coco_area(records, label)) < 1e-12


def record(objects, found, scores, difficult=None):
    objects, found = np.array(objects, float).reshape(-1, 4), np.array(found, float).reshape(-1, 4)
    flags = np.zeros(len(objects), bool) if difficult is None else np.array(difficult, bool)
    zeros = np.zeros(len(objects), int), np.zeros(len(found), int)
    return ImageRecord('x', '', objects, zeros[0], flags, found, zeros[1], np.array(scores, float))


def test_second_detection_of_an_object_is_false():
    box = [10, 10, 49, 49]
    result = summarise(EvaluationSet.from_records([record([box], [box, box], [0.9, 0.8])], ('a',))).classes[0]
    assert (result.true_positives, result.false_positives, result.AP_area) == (1, 1, 1.0)


def test_second_best_object_is_not_taken():
    """Both detections overlap the first object most; the devkit does not hand the second object to one of them."""
    objects = [[0, 0, 99, 99], [20, 0, 119, 99]]
    found = [[0, 0, 99, 99], [5, 0, 104, 99]]
    result = summarise(EvaluationSet.from_records([record(objects, found, [0.9, 0.8])], ('a',))).classes[0]
    assert (result.true_positives, result.false_positives) == (1, 1)


def test_detections_on_difficult_objects_are_left_out():
    box, other = [10, 10, 49, 49], [100, 100, 149, 149]
    data = EvaluationSet.from_records([record([box, other], [box, box, other], [0.9, 0.8, 0.7], [1, 0])], ('a',))
    result = summarise(data).classes[0]
    assert (result.objects, result.difficult, result.ignored, result.true_positives) == (1, 1, 2, 1)
    assert result.AP_area == 1.0
    counted = summarise(data, difficult='count').classes[0]
    assert (counted.objects, counted.true_positives, counted.false_positives) == (2, 2, 1)


def test_equal_scores_keep_their_order():
    hit, miss = [10, 10, 49, 49], [200, 200, 249, 249]
    first = summarise(EvaluationSet.from_records([record([hit], [hit, miss], [0.5, 0.5])], ('a',)))
    second = summarise(EvaluationSet.from_records([record([hit], [miss, hit], [0.5, 0.5])], ('a',)))
    assert (first.mAP_area, second.mAP_area) == (1.0, 0.5)
    assert first.best == second.best, 'equal scores are kept together or not at all'


def test_the_pixel_convention_decides_at_the_threshold():
    """With the last pixel the boxes share 19.5 of 38.5 columns (0.506), without it 18.5 of 37.5 (0.493)."""
    data = [record([[0, 0, 28, 9]], [[9.5, 0, 37.5, 9]], [0.9])]
    assert summarise(EvaluationSet.from_records(data, ('a',))).classes[0].true_positives == 1
    assert summarise(EvaluationSet.from_records(data, ('a',), inclusive=False)).classes[0].true_positives == 0


def test_overlap_of_empty_boxes_is_zero():
    point = np.array([[5.0, 5.0, 5.0, 5.0]])
    assert aligned_iou(point, point, inclusive=False)[0] == 0
    assert aligned_iou(point, point)[0] == 1


def test_candidate_pairs_are_ordered_and_complete():
    detections, objects = candidate_pairs(np.array([3, 1, 7, 3]), np.array([1, 3, 3, 2]))
    assert list(zip(detections, objects, strict=True)) == [(0, 1), (0, 2), (1, 0), (3, 1), (3, 2)]


def test_first_best_takes_the_first_of_equals():
    rows, values = np.array([0, 0, 0, 2, 2]), np.array([0.1, 0.7, 0.7, 0.0, 0.0])
    assert first_best(rows, values).tolist() == [1, 3]
    assert first_best(np.zeros(0, int), np.zeros(0)).tolist() == []


def test_recall_of_exactly_three_tenths_stays_below_the_fourth_point():
    """3 * 0.1 is a little more than 0.3 in double precision, in the devkit as here."""
    curve = precision_recall(np.array([0.9, 0.8, 0.7]), np.array([1, 1, 1]), 10)
    assert average_precision(curve.recall, curve.precision, '11points') == pytest.approx(3 / 11, abs=1e-15)
    assert average_precision(curve.recall, curve.precision, 'area') == pytest.approx(0.3, abs=1e-15)


def test_unknown_mode():
    with pytest.raises(ValueError, match="'11points' or 'area', not '12points'"):
        average_precision(np.array([1.0]), np.array([1.0]), '12points')
