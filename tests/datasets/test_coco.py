"""COCO data are checked as VOC data are."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mobilenext_det.datasets import CheckedCocoDataset
from mobilenext_det.datasets.problems import Kind
from mobilenext_det.errors import BadDataError

CATS = (dict(id=0, name='dog'), dict(id=7, name='cat'))


def image(number, name=None, **size):
    return dict(id=number, file_name=name or f'{number}.jpg', **(size or dict(width=60, height=40)))


def thing(image_id=0, category_id=0, bbox=(10, 10, 20, 15), number=1, **more):
    return dict(id=number, image_id=image_id, category_id=category_id, bbox=bbox, area=300, iscrowd=0, **more)


IMAGES = (image(0),)


class COCOFolder:
    def __init__(self, root):
        self.root = root
        for name in ('0.jpg', '1.jpg'):
            noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
            cv2.imwrite(str(root / name), noise)

    def read(self, *things, images=IMAGES, categories=CATS, classes=('dog', 'cat'), **kwargs):
        content = dict(images=images, annotations=things, categories=categories)
        (self.root / 'a.json').write_text(json.dumps(content))
        return CheckedCocoDataset(
            data_root=str(self.root),
            ann_file='a.json',
            data_prefix=dict(img=''),
            metainfo=dict(classes=classes),
            serialize_data=False,
            **kwargs,
        )


@pytest.fixture
def coco(tmp_path):
    return COCOFolder(tmp_path)


def kinds(dataset):
    return [problem.kind for problem in dataset.problems]


def test_names_decide_whatever_ids_and_order_are(coco):
    things = thing(), thing(category_id=7, bbox=[0.5, 1, 59.5, 39], number=2)
    dataset = coco.read(*things, classes=('cat', 'dog'))
    assert dataset.problems == []
    entry = dataset.get_data_info(0)
    assert (entry['img_path'], entry['img_id']) == (str(coco.root / '0.jpg'), 0)
    assert (entry['width'], entry['height']) == (60, 40)
    assert [(i['bbox'], i['bbox_label'], i['ignore_flag']) for i in entry['instances']] == [
        ([10, 10, 30, 25], 1, 0),
        ([0.5, 1, 60, 40], 0, 0),
    ]


@pytest.mark.parametrize(
    ('bad', 'kind', 'words'),
    [
        (thing(bbox=(10, 10, 0, 5)), Kind.NO_AREA, 'a.json, image 0, object 1: the box [10, 10, 10, 15] has no area'),
        (thing(bbox=(10, 10, 5, 1e-320)), Kind.NO_AREA, 'the box [10, 10, 15, 10.0] has no area'),
        (thing(bbox=(10, 10, 5, 1e-5)), Kind.NO_AREA, 'the box [10, 10, 15, 10.00001] has no area'),
        (thing(bbox=(59.999, 10, 5, 5)), Kind.NO_AREA, 'the box [59.999, 10, 60, 15] has no area'),
        (thing(bbox=(10, 10, -4, 5)), Kind.SWAPPED, 'negative width or height'),
        (thing(bbox=(70, 10, 5, 5)), Kind.OUTSIDE, 'the box [70, 10, 75, 15] lies outside the image of 60 x 40'),
        (thing(bbox=(1, 2, 3)), Kind.INCOMPLETE, 'not four numbers'),
        (thing(bbox=None), Kind.INCOMPLETE, 'not four numbers'),
        (thing(bbox=(1, 2, 'x', 4)), Kind.NOT_A_NUMBER, "'x'"),
        (thing(bbox=(1, 2, float('nan'), 4)), Kind.NOT_A_NUMBER, 'nan'),
        (thing(bbox=(1, 2, 10**400, 4)), Kind.NOT_A_NUMBER, '1000'),
        (thing(category_id=None), Kind.INCOMPLETE, 'no category_id'),
        (thing(image_id=5), Kind.NO_SUCH_IMAGE, 'image 5 is not among the images'),
        (thing(image_id=None), Kind.BAD_RECORD, 'annotation 2 has no image_id'),
        ('what', Kind.BAD_RECORD, 'annotation 2 has no image_id'),
    ],
)
def test_bad_object_is_left_out_and_named(coco, bad, kind, words):
    dataset = coco.read(thing(number=9), bad)
    assert kinds(dataset) == [kind]
    assert words in str(dataset.problems[0])
    assert len(dataset.get_data_info(0)['instances']) == 1
    with pytest.raises(BadDataError, match="on_bad_data='skip'"):
        coco.read(thing(number=9), bad, on_bad_data='stop')


def test_what_is_kept_is_counted(coco):
    dataset = coco.read(
        thing(bbox=(-1, 10, 20, 15)), thing(bbox=(50, 10, 20, 15), number=2), thing(number=2), thing(number=3, ignore=1)
    )
    assert kinds(dataset) == [Kind.SAME_OBJECT, Kind.CLIPPED, Kind.OVERHANG, Kind.CROWD]
    instances = dataset.get_data_info(0)['instances']
    assert [i['bbox'] for i in instances[:2]] == [[0, 10, 19, 25], [50, 10, 60, 25]]
    assert [i['ignore_flag'] for i in instances] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ('size', 'kind'),
    [
        (dict(width=61, height=39), Kind.SIZE_OFF),
        (dict(width=40, height=60), Kind.SIZE_SWAPPED),
        (dict(width=0, height=0), Kind.NO_SIZE),
        (dict(file_size=1), Kind.NO_SIZE),
        (dict(width='60', height=None), Kind.NO_SIZE),
    ],
)
def test_the_images_own_size_counts(coco, size, kind):
    dataset = coco.read(thing(), images=[image(0, **size)], on_bad_data='stop')
    assert kinds(dataset) == [kind]
    entry = dataset.get_data_info(0)
    assert (entry['width'], entry['height'], entry['instances'][0]['bbox']) == (60, 40, [10, 10, 30, 25])


def test_another_size_is_another_picture(coco):
    images = [image(0, width=120, height=80), image(1)]
    dataset = coco.read(thing(), thing(1, number=2), images=images)
    assert kinds(dataset) == [Kind.WRONG_SIZE] and len(dataset) == 1
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new('RGB', (40, 60)).save(coco.root / '0.jpg', exif=turned)  # loads as 60 x 40, and was annotated unturned
    assert kinds(coco.read(thing(), thing(1, number=2), images=[image(0, width=40, height=60), image(1)])) == [
        Kind.WRONG_SIZE
    ]


@pytest.mark.parametrize(
    ('images', 'found', 'read'),
    [
        ([image(0), image(1, 'gone.jpg')], [Kind.NO_IMAGE], [0]),
        ([image(0), image(1, 'a.json')], [Kind.BROKEN_IMAGE], [0]),
        ([image(0), image(0)], [Kind.TWICE], [0]),
        ([image(0), image(4, '0.jpg')], [Kind.TWICE], [0]),
        ([image(0), image(1), image(1, '0.jpg')], [Kind.SAME_NUMBER] * 2, [0]),
        ([image(0), dict(id=1), dict(file_name='1.jpg'), 3], [Kind.BAD_RECORD] * 3, [0]),
    ],
)
def test_images_that_cannot_be_used_or_told_apart(coco, images, found, read):
    dataset = coco.read(thing(), images=images)
    assert kinds(dataset) == found
    assert [dataset.get_data_info(index)['img_id'] for index in range(len(dataset))] == read


@pytest.mark.parametrize(
    ('category', 'words'),
    [
        (dict(id=0, name='Dog'), r"unknown class 'Dog' \(did you mean 'dog'\?\)"),
        (dict(id=0, name='horse'), "unknown class 'horse'"),
        (dict(id=5, name='dog'), 'category_id 0 is none of the categories'),
    ],
)
def test_unknown_category_stops(coco, category, words):
    with pytest.raises(BadDataError, match=words):
        coco.read(thing(), categories=[category, CATS[1]])
    kept = coco.read(
        thing(), thing(category_id=7, number=2), categories=[category, CATS[1]], ignore_unknown_classes=True
    )
    assert kinds(kept) == [Kind.UNKNOWN_CLASS]


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('', 'is no JSON'),
        ('{', 'is no JSON'),
        ('[' * 100000, 'is no JSON'),
        ('[]', 'needs lists images, annotations, categories'),
        ('{"images": []}', 'has no annotations'),
        ('{"images": [], "annotations": [], "categories": []}', 'names no images'),
        ('{"images": [1], "annotations": [], "categories": [{"name": "dog"}]}', 'has no id or no name'),
        (
            '{"images": [1], "annotations": [], "categories": [{"id":1,"name":"a"},{"id":1,"name":"b"}]}',
            'have the id 1',
        ),
    ],
)
def test_files_that_are_not_coco(coco, text, words):
    with pytest.raises(BadDataError, match='file of annotations is missing'):
        CheckedCocoDataset(ann_file='none.json')
    (coco.root / 'b.json').write_text(text)
    with pytest.raises(BadDataError, match=words):
        CheckedCocoDataset(data_root=str(coco.root), ann_file='b.json', metainfo=dict(classes=('dog',)))


def test_images_without_objects(coco, log):
    images = [image(0), image(1)]
    assert len(coco.read(thing(), images=images)) == 2
    assert len(coco.read(thing(), images=images, filter_cfg=dict(filter_empty_gt=True))) == 1
