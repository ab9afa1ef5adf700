import re

import pytest
import torch
from mmdet.datasets import VOCDataset
from mmdet.registry import DATASETS
from mmengine.structures import InstanceData

from mobilenext_det.datasets import CheckedVOCDataset
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.errors import BadDataError
from mobilenext_det.evaluation import VOCAveragePrecision
from mobilenext_det.evaluation.tables import results_text


def kinds(dataset):
    return [problem.kind for problem in dataset.problems]


def test_good_data_is_read_as_stock_mmdet_reads_it(voc, obj):
    voc.add('000001', obj('dog', (1, 2, 30, 40)), obj('cat', ('3.7', 4, 60, 9)))
    voc.add('000002', obj('cat', (80, 3, 90, 50)), size=(90, 50))
    checked = voc.read(serialize_data=True)
    stock = VOCDataset(
        data_root=str(voc.root),
        ann_file='VOC2007/ImageSets/Main/trainval.txt',
        data_prefix=dict(sub_data_root='VOC2007/'),
        metainfo=dict(classes=('dog', 'cat')),
    )
    assert [checked.get_data_info(i) for i in range(2)] == [stock.get_data_info(i) for i in range(2)]
    assert checked.metainfo == stock.metainfo
    assert checked.metainfo['dataset_type'] == 'VOC2007'
    assert checked.problems == []
    assert checked.get_cat_ids(0) == [0, 1]


def test_report_counts_each_kind_and_names_file_and_object(voc, obj, log):
    voc.add('a', obj(box=(5, 5, 5, 5)), obj(), obj(box=(9, 5, 5, 9)))
    voc.add('b', obj(box=(7, 7, 7, 7)), obj('cat', difficult=''))
    dataset = voc.read()
    assert kinds(dataset) == [Kind.NO_AREA, Kind.SWAPPED, Kind.NO_AREA, Kind.DIFFICULT]
    assert len(log) == 1
    assert '2 of 2 images and 2 objects are usable' in log[0]
    assert re.search(r'box has no area\s+│ 2 +│ object skipped', log[0])
    assert re.search(r'no usable <difficult>\s+│ 1 +│ read as 0', log[0])
    assert f'{voc.path("Annotations/a.xml")}, object 1: the box [5, 5, 5, 5] has no area' in log[0]
    assert f'{voc.path("Annotations/b.xml")}, object 1: the box [7, 7, 7, 7] has no area' in log[0]


def test_stop_names_the_first_problem_and_the_fix(voc, obj):
    voc.add('a', obj(), obj(box=(5, 5, 5, 5)))
    with pytest.raises(BadDataError, match="a.xml, object 2: the box .* first of 1 problems .* on_bad_data='skip'"):
        voc.read(on_bad_data='stop')


def test_corrections_do_not_stop(voc, obj):
    voc.add('a', obj(box=(0, 1, 20, 20), difficult=''))
    assert kinds(voc.read(on_bad_data='stop')) == [Kind.CLIPPED, Kind.DIFFICULT]


def test_on_bad_data_must_be_known(voc):
    with pytest.raises(ValueError, match="on_bad_data is 'ignore'; it must be 'skip' or 'stop'"):
        voc.read(on_bad_data='ignore')


def test_storage_other_than_the_local_disk_is_refused(voc):
    with pytest.raises(ValueError, match='local disk only'):
        voc.read(backend_args=dict(backend='petrel'))


@pytest.mark.parametrize('on_bad_data', ['skip', 'stop'])
def test_unknown_class_stops_by_default(voc, obj, on_bad_data):
    voc.add('a', obj(), obj('Dog'))
    voc.add('b', obj('horse'), obj('horse'))
    with pytest.raises(BadDataError) as error:
        voc.read(on_bad_data=on_bad_data)
    message = str(error.value)
    assert f"{voc.path('Annotations/a.xml')}, object 2: unknown class 'Dog' (did you mean 'dog'?)" in message
    assert "('dog', 'cat')" in message
    assert "2 x unknown class 'horse'" in message
    assert 'ignore_unknown_classes=True' in message


def test_unknown_classes_are_left_out_and_counted_on_request(voc, obj):
    voc.add('a', obj(), obj('horse'))
    dataset = voc.read(ignore_unknown_classes=True)
    assert kinds(dataset) == [Kind.UNKNOWN_CLASS]
    assert [instance['bbox_label'] for instance in dataset.get_data_info(0)['instances']] == [0]


def test_all_classes_unknown_stops_whatever_the_options(voc, obj):
    voc.add('a', obj('horse'))
    with pytest.raises(BadDataError, match="unknown class 'horse'"):
        voc.read(ignore_unknown_classes=True)


@pytest.mark.parametrize(
    ('classes', 'words'),
    [
        (('dog'), "classes='dog' is one string; write classes=('dog',) with a comma"),  # noqa: UP034
        ((), 'at least one class'),
        (('dog', 'dog'), 'each class once'),
    ],
)
def test_class_list_that_cannot_be_meant(voc, obj, classes, words):
    voc.add('a', obj())
    with pytest.raises(BadDataError, match=re.escape(words)):
        voc.read(classes)


def test_more_classes_than_voc_get_as_many_colours(voc, obj):
    voc.add('a', obj('class 24'))
    dataset = voc.read([f'class {i}' for i in range(25)])
    assert len(set(dataset.metainfo['palette'])) == 25
    assert dataset.get_data_info(0)['instances'][0]['bbox_label'] == 24


@pytest.mark.parametrize('suffix', ['.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.JPG', '.Jpeg', '.TIF'])
def test_image_suffixes(voc, obj, suffix):
    path = voc.add('a', obj(), suffix=suffix)
    assert voc.read(on_bad_data='stop').get_data_info(0)['img_path'] == str(path)


def cut_off(voc, obj):
    path = voc.add('bad', obj())
    path.write_bytes(path.read_bytes()[:1000])
    return path


def not_an_image(voc, obj):
    path = voc.add('bad', obj())
    path.write_text('<html>404</html>')
    return path


def no_image(voc, obj):
    path = voc.add('bad', obj())
    path.unlink()
    return path.with_suffix('')


def no_xml(voc, obj):
    voc.image_ids.append('bad')
    return voc.path('Annotations/bad.xml')


def broken_xml(voc, obj):
    voc.add('bad', xml='<annotation><object>')
    return voc.path('Annotations/bad.xml')


def other_xml(voc, obj):
    voc.add('bad', xml='<html></html>')
    return voc.path('Annotations/bad.xml')


def empty_xml(voc, obj):
    voc.add('bad', xml='')
    return voc.path('Annotations/bad.xml')


def binary_xml(voc, obj):
    voc.add('bad')
    voc.path('Annotations/bad.xml').write_bytes(bytes(range(256)))
    return voc.path('Annotations/bad.xml')


def wrong_size(voc, obj):
    size = '<size><width>30</width><height>20</height></size>'
    voc.add('bad', xml=f'<annotation>{size}{obj()}</annotation>')
    return voc.path('Annotations/bad.xml')


BAD_IMAGES = [
    (cut_off, Kind.BROKEN_IMAGE),
    (not_an_image, Kind.BROKEN_IMAGE),
    (no_image, Kind.NO_IMAGE),
    (no_xml, Kind.NO_XML),
    (broken_xml, Kind.BAD_XML),
    (other_xml, Kind.BAD_XML),
    (empty_xml, Kind.BAD_XML),
    (binary_xml, Kind.BAD_XML),
    (wrong_size, Kind.WRONG_SIZE),
]


@pytest.mark.parametrize(('spoil', 'kind'), BAD_IMAGES)
def test_bad_image_is_skipped_and_named(voc, obj, spoil, kind):
    voc.add('good', obj())
    path = spoil(voc, obj)
    dataset = voc.read()
    assert [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))] == ['good']
    assert [(problem.kind, problem.path) for problem in dataset.problems] == [(kind, str(path))]
    with pytest.raises(BadDataError, match=f'^{path}: .*first of 1 problems'):
        voc.read(on_bad_data='stop')


def test_no_usable_image_stops(voc, obj):
    no_image(voc, obj)
    with pytest.raises(BadDataError, match='none of the 1 images of .*trainval.txt can be used'):
        voc.read()


def test_size_comes_from_the_image_where_the_annotation_has_none(voc, obj):
    voc.add('a', xml=f'<annotation><size><width>0</width><height>0</height></size>{obj()}</annotation>')
    voc.add('b', xml=f'<annotation>{obj()}</annotation>', size=(70, 50))
    dataset = voc.read(on_bad_data='stop')
    assert [(info['width'], info['height']) for info in map(dataset.get_data_info, range(2))] == [(60, 40), (70, 50)]


def test_empty_split(voc):
    with pytest.raises(BadDataError, match='trainval.txt: the split file is empty'):
        voc.read()


def test_missing_split(voc, obj):
    voc.add('a', obj())
    with pytest.raises(BadDataError, match='nowhere.txt: the split file is missing; check data_root'):
        DATASETS.build(dict(type='CheckedVOCDataset', data_root=str(voc.root), ann_file='nowhere.txt'))


def test_blank_lines_and_spaces_in_a_split_name_no_images(voc, obj):
    voc.add('a', obj())
    voc.image_ids = ['', 'a ', '', '']
    assert len(voc.read(on_bad_data='stop')) == 1


DIFFICULT = '<difficult>1</difficult>'


def test_difficult_objects_are_dropped_for_training_and_ignored_in_testing(voc, obj):
    voc.add('a', obj('dog'), obj('cat', difficult=DIFFICULT))

    def flags(**kwargs):
        instances = voc.read(**kwargs).get_data_info(0)['instances']
        return [(instance['bbox_label'], instance['ignore_flag']) for instance in instances]

    assert flags() == [(0, 0)]
    assert flags(test_mode=True) == [(0, 0), (1, 1)]
    assert flags(keep_difficult=True) == [(0, 0), (1, 1)]
    assert flags(test_mode=True, keep_difficult=False) == [(0, 0)]


def test_filter_cfg(voc, obj):
    voc.add('only difficult', obj(difficult=DIFFICULT))
    voc.add('none')
    voc.add('small', obj(box=(1, 1, 5, 5)), size=(20, 20))
    voc.add('good', obj())

    def ids(**kwargs):
        dataset = voc.read(**kwargs)
        return [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]

    assert ids() == ['only difficult', 'none', 'small', 'good']
    assert ids(filter_cfg=dict(filter_empty_gt=True)) == ['small', 'good']
    assert ids(filter_cfg=dict(filter_empty_gt=True, min_size=32)) == ['good']
    assert len(ids(filter_cfg=dict(filter_empty_gt=True), test_mode=True)) == 4
    dataset = voc.read(filter_cfg=dict(bbox_min_size=10))
    assert [info['instances'][0]['ignore_flag'] for info in map(dataset.get_data_info, (2, 3))] == [1, 0]
    with pytest.raises(BadDataError, match='leaves none of 4 images'):
        voc.read(filter_cfg=dict(min_size=1000))


def test_lazy_init_reads_nothing_until_asked(voc, obj, log):
    voc.add('a', obj(), obj(box=(5, 5, 5, 5)))
    dataset = voc.read(lazy_init=True)
    assert (dataset.problems, log) == ([], [])
    assert dataset.metainfo['classes'] == ('dog', 'cat')
    dataset.full_init()
    assert (kinds(dataset), len(log)) == ([Kind.NO_AREA], 1)


def test_wrappers_of_mmengine(voc, obj):
    voc.add('a', obj())
    voc.add('b', obj('cat'))
    voc.read()
    one = dict(
        type='CheckedVOCDataset',
        data_root=str(voc.root),
        ann_file='VOC2007/ImageSets/Main/trainval.txt',
        data_prefix=dict(sub_data_root='VOC2007/'),
        metainfo=dict(classes=('dog', 'cat')),
    )
    repeated = DATASETS.build(
        dict(type='RepeatDataset', times=3, dataset=dict(type='ConcatDataset', datasets=[one, one]))
    )
    assert len(repeated) == 12
    assert repeated.metainfo['classes'] == ('dog', 'cat')
    assert [repeated.get_data_info(i)['img_id'] for i in (0, 3, 11)] == ['a', 'b', 'b']


def test_jfif_is_jpeg_and_of_two_files_the_preferred_one_is_read(voc, obj):
    path = voc.add('a', obj())
    path.rename(path.with_suffix('.JFIF'))
    assert voc.read(on_bad_data='stop').get_data_info(0)['img_path'] == str(path.with_suffix('.JFIF'))
    voc.add('a', obj(), suffix='.png', name_in_split=False)
    assert voc.read(on_bad_data='stop').get_data_info(0)['img_path'] == str(path.with_suffix('.png'))


@pytest.mark.parametrize('test_mode', [False, True])
def test_boxes_that_leave_the_image_are_clipped_alike_in_training_and_testing(voc, obj, test_mode):
    voc.add('a', obj(box=(50, 5, 65, 9)), obj(box=(-20, -20, 30, 30)), obj(box=(61, 5, 70, 9)))
    dataset = voc.read(test_mode=test_mode)
    assert [instance['bbox'] for instance in dataset.get_data_info(0)['instances']] == [[49, 4, 59, 8], [0, 0, 29, 29]]
    assert kinds(dataset) == [Kind.OVERHANG, Kind.OVERHANG, Kind.OUTSIDE]


def test_a_box_of_one_pixel_counts_in_testing_as_to_the_devkit_and_cannot_be_learnt(voc, obj):
    voc.add('a', obj(), obj(box=(5, 5, 5, 9)))
    assert len(voc.read().get_data_info(0)['instances']) == 1
    assert voc.read(test_mode=True).get_data_info(0)['instances'][1]['bbox'] == [4, 4, 4, 8]


@pytest.mark.parametrize(
    ('stated', 'found'), [((61, 39), [Kind.SIZE_OFF]), ((40, 60), [Kind.SIZE_SWAPPED]), ((0, 0), [Kind.NO_SIZE])]
)
def test_the_images_own_size_counts(voc, obj, stated, found):
    size = f'<size><width>{stated[0]}</width><height>{stated[1]}</height></size>'
    voc.add('a', xml=f'<annotation>{size}{obj()}</annotation>')
    dataset = voc.read(on_bad_data='stop')
    assert kinds(dataset) == found and dataset.get_data_info(0)['width'] == 60


@pytest.mark.parametrize(
    'content',
    [
        '<objects><item><name>dog</name><box>1 2 30 40</box></item></objects>',
        '<Object><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></Object>',
        '<image><box label="dog" xtl="1.5" ytl="2" xbr="30" ybr="40"/></image>',
    ],
)
def test_a_file_of_which_nothing_was_read_is_no_empty_image(voc, obj, content):
    voc.add('good', obj())
    voc.add('bad', xml=f'<annotation><filename>bad.jpg</filename>{content}</annotation>')
    dataset = voc.read()
    assert kinds(dataset) == [Kind.NOTHING_READ] and len(dataset) == 1


def test_images_without_objects_are_counted(voc, obj, log):
    voc.add('good', obj())
    voc.add('empty', '<source><database>1 2 3 4</database></source>')
    voc.add('spoilt', obj(box=(5, 5, 5, 9)))
    dataset = voc.read()
    assert '2 of 3 images and 1 objects are usable; 1 of the images have no object: they teach background' in log[0]
    assert kinds(dataset) == [Kind.NO_AREA, Kind.NOTHING_LEFT]
    voc.read(filter_cfg=dict(filter_empty_gt=True))
    assert 'filter_empty_gt=True) leaves them out of training' in log[1]


def test_an_image_that_is_listed_twice_is_read_once(voc, obj):
    voc.add('a', obj())
    voc.image_ids = ['a', 'a.jpg']
    dataset = voc.read()
    assert kinds(dataset) == [Kind.TWICE] and len(dataset) == 1


def test_a_folder_without_a_list(voc, obj):
    """As Roboflow exports it: images and annotations side by side."""
    for name in ('b', 'a'):
        path = voc.add(name, obj())
        voc.path(f'Annotations/{name}.xml').rename(path.with_suffix('.xml'))
    flat = dict(
        data_root=str(voc.path('JPEGImages')),
        data_prefix=dict(sub_data_root=''),
        img_subdir='',
        ann_subdir='',
        metainfo=dict(classes=('dog', 'cat')),
    )
    dataset = CheckedVOCDataset(**flat)
    assert [dataset.get_data_info(index)['img_id'] for index in range(2)] == ['a', 'b']
    with pytest.raises(
        BadDataError, match="list.txt: the split file is missing; .*ann_file='' reads all 2 annotations"
    ):
        CheckedVOCDataset(ann_file='list.txt', **flat)


def test_the_metric_learns_what_was_done_to_the_ground_truth(voc, obj):
    voc.add('a', obj(box=(50, 5, 65, 9)), obj())
    voc.add('b', obj())
    pipeline = [dict(type='LoadAnnotations', with_bbox=True), dict(type='PackDetInputs')]
    dataset = voc.read(test_mode=True, pipeline=pipeline)
    metric = VOCAveragePrecision()
    metric.dataset_meta = dataset.metainfo
    for index in range(2):
        sample = dataset[index]['data_samples']
        sample.pred_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0), scores=torch.zeros(0))
        metric.process({}, [sample.to_dict()])
    metric.compute_metrics(metric.results)
    assert metric.summary.problems == {'OVERHANG': 1}
    assert '| box leaves the image |     1 | clipped |' in results_text(metric.summary)
