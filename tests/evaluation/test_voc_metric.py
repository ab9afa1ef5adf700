"""The metric through mmengine's evaluator: keys, custom classes, other data sets, several processes."""

import json
import logging
import math
import multiprocessing
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import DATASETS, METRICS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.utils import register_all_modules
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from mobilenext_det.errors import UsageError
from mobilenext_det.evaluation import VOCAveragePrecision

BOX, OTHER, FAR = [10.0, 10, 49, 49], [100.0, 100, 149, 149], [200.0, 200, 260, 260]


def instances(boxes, labels, scores=None):
    data = InstanceData(bboxes=torch.tensor(boxes).reshape(-1, 4), labels=torch.tensor(labels, dtype=torch.long))
    if scores is not None:
        data.scores = torch.tensor(scores)
    return data


def sample(objects, found, ignored=((), ()), image_id='000001'):
    data = DetDataSample(metainfo={'img_id': image_id, 'img_path': f'{image_id}.jpg'})
    data.gt_instances, data.ignored_instances = instances(*objects), instances(*ignored)
    data.pred_instances = instances(*found)
    return data


def evaluate(samples, classes=('cat', 'dog'), **options):
    metric = METRICS.build({'type': 'VOCAveragePrecision', **options})
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {'classes': classes}
    for item in samples:
        evaluator.process([item])
    return evaluator.evaluate(len(samples)), metric


SAMPLES = [
    sample(([BOX], [0]), ([BOX, FAR], [0, 0], [0.9, 0.8])),
    sample(([BOX], [0]), ([OTHER], [0], [0.6]), ignored=([OTHER], [0]), image_id='000002'),
]


def test_keys_and_exact_values():
    values, metric = evaluate(SAMPLES)
    assert values.pop('voc/score') == pytest.approx(0.9)
    assert math.isnan(values.pop('voc/AP_11points/dog')) and math.isnan(values.pop('voc/AP_area/dog'))
    assert values == {
        'voc/mAP_11points': 6 / 11,
        'voc/mAP_area': 0.5,
        'voc/precision': 1.0,
        'voc/recall': 0.5,
        'voc/F1': 2 / 3,
        'voc/AP_11points/cat': 6 / 11,
        'voc/AP_area/cat': 0.5,
    }
    assert metric.summary.as_dict()['per_class']['cat']['ignored'] == 1
    assert metric.summary.as_dict()['per_class']['dog']['AP_area'] is None
    assert metric.data.image_ids == ['000001', '000002']
    assert metric.data.detections.scores == pytest.approx([0.9, 0.8, 0.6])
    assert metric.results == []


def test_options():
    assert evaluate(SAMPLES, classwise=False)[0].keys() == {
        f'voc/{key}' for key in ('mAP_11points', 'mAP_area', 'precision', 'recall', 'F1', 'score')
    }
    assert evaluate(SAMPLES, difficult='count')[0]['voc/recall'] == 2 / 3
    assert evaluate(SAMPLES, prefix='here')[0]['here/mAP_area'] == 0.5
    assert evaluate(SAMPLES, iou_threshold=0.5, coco=True)[0]['voc/coco_AP'] == pytest.approx(51 / 101)
    with pytest.raises(ValueError, match="'ignore' or 'count', not 'drop'"):
        evaluate(SAMPLES, difficult='drop')


def test_the_table_names_the_classes_of_the_data_set(caplog):
    """The metric of mmdet prints VOC's names whatever the classes are (mmdetection#11592)."""
    logger = MMLogger.get_instance('test_voc_metric')
    logger.addHandler(caplog.handler)
    evaluate(SAMPLES, ('Invoice', 'Table'))
    text = caplog.text
    assert '| Invoice |       2 |' in text and '| Table   |       0 |' in text and 'aeroplane' not in text
    assert 'difficult objects are neither to be found nor counted' in text


def test_no_objects_of_these_classes_is_said(caplog):
    logger = MMLogger.get_instance('test_voc_metric')
    logger.addHandler(caplog.handler)
    values, _ = evaluate([sample(([], []), ([BOX], [0], [0.9]))])
    assert math.isnan(values['voc/mAP_11points']) and 'voc/F1' not in values
    warning = next(item for item in caplog.records if item.levelno == logging.WARNING)
    assert 'the 1 images hold no object of the classes cat, dog' in warning.getMessage()


def test_no_detections_at_all():
    values, _ = evaluate([sample(([BOX], [1]), ([], [], []))])
    assert values['voc/mAP_11points'] == values['voc/AP_area/dog'] == 0


def test_samples_without_ignored_instances_and_with_box_structures():
    data = sample(([BOX], [0]), ([BOX], [0], [0.9]))
    data.ignored_instances = InstanceData()
    data.gt_instances.bboxes = HorizontalBoxes(data.gt_instances.bboxes)
    data.pred_instances.scores = data.pred_instances.scores.bfloat16()
    assert evaluate([data])[0]['voc/mAP_area'] == 1.0
    data.gt_instances = InstanceData(bboxes=HorizontalBoxes(torch.zeros(0, 4)), labels=torch.zeros(0))
    assert math.isnan(evaluate([data])[0]['voc/mAP_area'])


def test_what_is_kept_is_small_and_on_the_cpu():
    metric = VOCAveragePrecision()
    metric.process({}, [SAMPLES[0].to_dict()])
    assert isinstance(metric.results[0].boxes, np.ndarray)
    assert len(pickle.dumps(metric.results)) < 2000


def test_coco_dataset_and_concat_dataset(tmp_path):
    """mmdetection#10085: nothing but `classes` is read from the metainfo."""
    register_all_modules()
    boxes = [[10, 10, 40, 40], [100, 100, 50, 50]]
    (tmp_path / 'coco.json').write_text(
        json.dumps(
            {
                'images': [{'id': 7, 'file_name': '7.jpg', 'width': 300, 'height': 300}],
                'categories': [{'id': 3, 'name': 'cat'}, {'id': 5, 'name': 'dog'}],
                'annotations': [
                    {'id': k, 'image_id': 7, 'category_id': 3, 'bbox': box, 'area': 1600, 'iscrowd': k}
                    for k, box in enumerate(boxes)
                ],
            }
        )
    )
    pipeline = [{'type': 'LoadAnnotations', 'with_bbox': True}, {'type': 'PackDetInputs'}]
    one = {
        'type': 'CocoDataset',
        'ann_file': str(tmp_path / 'coco.json'),
        'data_prefix': {'img': ''},
        'metainfo': {'classes': ('cat', 'dog')},
        'pipeline': pipeline,
        'test_mode': True,
    }
    both = DATASETS.build({'type': 'ConcatDataset', 'datasets': [one, one]})
    metric = VOCAveragePrecision(inclusive=False)
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = both.metainfo
    for index in range(2):
        data = both[index]['data_samples']
        data.pred_instances = instances([[10.0, 10, 50, 50], [100.0, 100, 150, 150]], [0, 0], [0.9, 0.8])
        evaluator.process([data])
    values = evaluator.evaluate(2)
    assert values['voc/mAP_area'] == 1.0
    assert (metric.summary.classes[0].objects, metric.summary.classes[0].ignored) == (2, 2)


@pytest.mark.parametrize('classes', [None, (), 'cat'])
def test_missing_classes(classes):
    with pytest.raises(ValueError, match='give it a tuple of class names'):
        evaluate(SAMPLES, classes)


def test_annotations_that_were_resized_with_the_image_are_told(caplog):
    """LoadAnnotations in front of Resize makes mAP 0.00 without a word elsewhere (mmdetection#11592)."""
    logger = MMLogger.get_instance('test_voc_metric')
    logger.addHandler(caplog.handler)
    data = sample(([FAR], [0]), ([FAR], [0], [0.9]))
    data.set_metainfo({'ori_shape': (261, 261)})
    evaluate([data])
    assert 'is 261 x 261' not in caplog.text
    data.set_metainfo({'ori_shape': (130, 131)})
    evaluate([data, data])
    assert caplog.text.count('Image 000001 is 131 x 130, but its objects reach to (260, 260)') == 1


def test_missing_annotations():
    data = DetDataSample(metainfo={'img_id': '000007'})
    data.gt_instances, data.pred_instances = InstanceData(), instances([BOX], [0], [0.9])
    with pytest.raises(UsageError, match='Image 000007 came without annotations'):
        evaluate([data])


def test_numbers_that_are_none():
    with pytest.raises(ValueError, match='Image 000001 has a score that is not a finite number'):
        evaluate([sample(([BOX], [0]), ([BOX], [0], [float('nan')]))])
    with pytest.raises(ValueError, match=r'an inverted box: detection with box \[49.0, 10.0, 10.0, 49.0\]'):
        evaluate([sample(([BOX], [0]), ([[49.0, 10, 10, 49]], [0], [0.5]))])
    with pytest.raises(ValueError, match='a box that is not four finite numbers: object'):
        evaluate([sample(([[0.0, 0, float('inf'), 9]], [0]), ([], [], []))])
    with pytest.raises(ValueError, match='a label outside the 2 classes'):
        evaluate([sample(([BOX], [2]), ([], [], []))])


def _evaluate_in_group(rank, folder):
    import torch.distributed

    torch.distributed.init_process_group('gloo', f'file://{folder}/store', rank=rank, world_size=2)
    metric = VOCAveragePrecision(collect_dir=f'{folder}/parts')
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = {'classes': ('cat', 'dog')}
    samples = [*SAMPLES, SAMPLES[1], SAMPLES[0]]
    for index in range(rank, 4, 2):
        evaluator.process([samples[index]])
    values = evaluator.evaluate(3)
    Path(folder, f'{rank}.json').write_text(json.dumps(values))


def test_two_processes_give_the_same_as_one(tmp_path):
    """The second process evaluates a padded copy as well, which the collection drops."""
    context = multiprocessing.get_context('fork')
    workers = [context.Process(target=_evaluate_in_group, args=(rank, str(tmp_path))) for rank in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    expected, _ = evaluate([*SAMPLES, SAMPLES[1]])
    assert expected['voc/recall'] == 1 / 3
    for rank in range(2):
        assert (tmp_path / f'{rank}.json').read_text() == json.dumps(expected)


def test_report_and_devkit_files(tmp_path, caplog):
    logger = MMLogger.get_instance('test_voc_metric')
    logger.addHandler(caplog.handler)
    evaluate(SAMPLES, report_dir=str(tmp_path), report_title='A detector')
    assert '<h1>A detector</h1>' in (tmp_path / 'index.html').read_text()
    lines = (tmp_path / 'detections/comp4_det_test_cat.txt').read_text().splitlines()
    assert [line.split()[0] for line in lines] == ['000001', '000001', '000002']
    evaluate([SAMPLES[0], SAMPLES[0]], report_dir=str(tmp_path))
    assert 'The detections were not written to files: Devkit files need image names that are unique' in caplog.text


@pytest.mark.parametrize('threshold', [[0.5, 0.75], '0.5', 0, 50])
def test_an_overlap_that_is_not_one_share_is_refused(threshold):
    with pytest.raises(UsageError, match=r'must be one number above 0 and up to 1: for several, list one metric each'):
        VOCAveragePrecision(iou_threshold=threshold)
