"""Devkit files: what is written is read back bit for bit, and every bad line is named."""

import numpy as np
import pytest
from mmdet.datasets import VOCDataset
from mmdet.registry import DATASETS
from mmdet.utils import register_all_modules
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData

from mobilenext_det.errors import BadDataError
from mobilenext_det.evaluation import EvaluationSet, ImageRecord, VOCAveragePrecision, summarise
from mobilenext_det.evaluation.devkit_files import read_detections, write_detections
from mobilenext_det.evaluation.voc_files import read_ground_truth

CLASSES = ('cat', 'dog', 'none')


def random_set(seed, num_images=30):
    rng = np.random.default_rng(seed)
    records = []
    for index in range(num_images):
        corner = rng.uniform(0, 200, (12, 2))
        boxes = np.hstack([corner, corner + rng.uniform(0, 90, (12, 2))]).astype(np.float32)
        labels = rng.integers(0, 2, 12)
        scores = rng.choice(np.float32([0.1, 0.3, 0.7]), 12)
        noisy = np.maximum(boxes[:4] + rng.normal(0, 4, (4, 4)), 0)
        noisy = np.hstack([np.minimum(noisy[:, :2], noisy[:, 2:]), np.maximum(noisy[:, :2], noisy[:, 2:])])
        records.append(ImageRecord(f'{index:06d}', '', noisy, labels[:4], rng.random(4) < 0.2, boxes, labels, scores))
    return EvaluationSet.from_records(records, CLASSES)


@pytest.mark.parametrize('seed', range(3))
def test_round_trip_gives_the_same_result(tmp_path, seed):
    data = random_set(seed)
    paths = write_detections(data, tmp_path / 'new' / 'folder', 'val')
    assert [path.name for path in paths] == [f'comp4_det_val_{name}.txt' for name in CLASSES]
    assert paths[2].read_text() == ''
    detections, missing = read_detections(tmp_path / 'new' / 'folder', 'val', CLASSES, data.image_ids)
    assert missing == []
    again = EvaluationSet(data.classes, data.image_ids, data.image_paths, data.objects, detections)
    first, second = summarise(data).as_dict(), summarise(again).as_dict()
    assert first == second and first['mAP_area'] > 0.1


def test_pixels_count_from_one_in_the_files(tmp_path):
    record = ImageRecord('a', '', np.zeros((0, 4)), np.zeros(0), np.zeros(0), np.array([[0, 1, 2.5, 3]]), [0], [0.25])
    write_detections(EvaluationSet.from_records([record], ('cat',)), tmp_path)
    assert (tmp_path / 'comp4_det_test_cat.txt').read_text() == 'a 0.25 1.0 2.0 3.5 4.0\n'


@pytest.mark.parametrize('dataset_type', ['VOCDataset', 'CheckedVOCDataset'])
def test_files_and_metric_agree(voc, dataset_type):
    """The same detections evaluated from files and through a data set and the metric."""
    register_all_modules()
    truth = read_ground_truth(voc.root, 'test')
    detections, _ = read_detections(voc.detections, 'test', truth.classes, truth.image_ids)
    data = EvaluationSet(truth.classes, truth.image_ids, truth.image_paths, truth.objects, detections)

    dataset = DATASETS.build(
        {
            'type': dataset_type,
            'data_root': str(voc.root.parent),
            'data_prefix': {'sub_data_root': 'VOC2007/'},
            'ann_file': 'VOC2007/ImageSets/Main/test.txt',
            'test_mode': True,
            'pipeline': [{'type': 'LoadAnnotations', 'with_bbox': True}, {'type': 'PackDetInputs'}],
        }
    )
    assert isinstance(dataset, VOCDataset)
    metric = VOCAveragePrecision()
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dataset.metainfo
    for index in range(2):
        sample = dataset[index]['data_samples']
        own = detections.image == index
        sample.pred_instances = InstanceData(
            bboxes=detections.boxes[own], labels=detections.label[own], scores=detections.scores[own]
        )
        evaluator.process([sample])
    evaluator.evaluate(2)
    expected = summarise(data).as_dict()
    assert metric.summary.as_dict() == expected
    # dog: one of two found, one on the difficult dog, one false; cat: one of two found, one duplicate.
    assert expected['per_class']['dog']['AP_11points'] == expected['per_class']['cat']['AP_11points'] == 6 / 11
    counts = ('true_positives', 'false_positives', 'ignored')
    assert [expected['per_class']['dog'][name] for name in counts] == [1, 1, 1]


@pytest.mark.parametrize(
    ('line', 'sentence'),
    [
        ('000001 0.5 1 2 3', r"line 2: 5 fields instead of the six 'image score xmin ymin xmax ymax'"),
        ('000001.jpg 0.5 1 2 3 4', r"line 2: image '000001.jpg' is not in the split"),
        ('000001 high 1 2 3 4', r"line 2: one of \['high', '1', '2', '3', '4'\] is no number"),
        ('000001 nan 1 2 3 4', 'line 2: the score nan is not finite'),
        ('000001 0.5 1 2 inf 4', r"line 2: the box \['1', '2', 'inf', '4'\] is not finite"),
        ('000001 0.5 3 2 1 4', r"line 2: the box \['3', '2', '1', '4'\] is inverted"),
    ],
)
def test_bad_lines(voc, line, sentence):
    voc.detect('dog', '000002 0.5 1 2 3 4', line)
    with pytest.raises(BadDataError, match=r'comp4_det_test_dog\.txt, ' + sentence):
        read_detections(voc.detections, 'test', ('cat', 'dog'), ['000001', '000002'])


def test_bad_folders(voc, tmp_path):
    with pytest.raises(BadDataError, match=r'holds no file comp4_det_val_<class>\.txt; it holds comp4_det_test_cat'):
        read_detections(voc.detections, 'val', ('cat', 'dog'), ['000001', '000002'])
    (tmp_path / 'empty').mkdir()
    with pytest.raises(BadDataError, match='it holds nothing'):
        read_detections(tmp_path / 'empty', 'test', ('cat', 'dog'), ['000001', '000002'])
    with pytest.raises(BadDataError, match=r"det_test_dog\.txt: unknown class 'dog'; the classes are cat\."):
        read_detections(voc.detections, 'test', ('cat',), ['000001', '000002'])


def test_missing_and_left_out_classes_are_told_apart(voc):
    detections, missing = read_detections(voc.detections, 'test', ('bus', 'cat'), ['000001', '000002'], ('dog',))
    assert missing == ['bus']
    assert detections.label.tolist() == [1, 1]


def test_names_that_cannot_be_told_apart(tmp_path):
    nothing = (np.zeros((0, 4)), np.zeros(0), np.zeros(0), np.zeros((0, 4)), np.zeros(0), np.zeros(0))
    data = EvaluationSet.from_records([ImageRecord('a', '', *nothing)] * 2, ('cat',))
    with pytest.raises(BadDataError, match='image names that are unique'):
        write_detections(data, tmp_path)


ODD = (
    'cat/dog',
    'cat%2Fdog',
    '50%',
    '猫',
    '[b] {x} | <i>',
    '*',
    '..',
    'a b',
    'ä',
    '\udcff',
    '\ud800',
    'n' * 300,
    '猫' * 300,
)
ODD_IMAGES = ('my cat 1', 'sub/b', ' c ', 'd\ne', 'd%0Ae', 'ü', '\udcff', '#1', '{}', '0.5 1 2 3 4')


def test_every_name_survives(tmp_path):
    """Names of classes that a file system or a line cannot take, and of images."""
    box = np.array([[0.0, 1, 2, 3]])
    records = [
        ImageRecord(name, '', box, np.array([0]), np.zeros(1, bool), box, np.array([index % len(ODD)]), np.array([0.5]))
        for index, name in enumerate(ODD_IMAGES)
    ]
    data = EvaluationSet.from_records(records, ODD)
    paths = write_detections(data, tmp_path)
    assert len(set(paths)) == len(ODD) and all(path.parent == tmp_path and path.is_file() for path in paths)
    read, missing = read_detections(tmp_path, 'test', ODD, ODD_IMAGES)
    assert missing == []
    assert sorted(zip(read.image, read.label, strict=True)) == [(n, n % len(ODD)) for n in range(len(ODD_IMAGES))]


def test_the_devkits_own_names_are_read(tmp_path):
    (tmp_path / 'comp4_det_test_50%.txt').write_text('a 0.5 1 2 3 4\n')
    assert read_detections(tmp_path, 'test', ('50%',), ['a'])[0].scores.tolist() == [0.5]
