import cv2
import numpy as np
import pytest
from torchvision.datasets import ImageFolder as TorchvisionImageFolder

from mobilenext_det.datasets import ImageFolder
from mobilenext_det.errors import BadDataError


def write(path, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), noise)


@pytest.fixture
def root(tmp_path):
    """Two classes; the training images of one lie a folder further down, as in Tiny ImageNet."""
    for name in ('train/wolf/1.jpg', 'train/wolf/2.JPEG', 'train/ape/images/1.png', 'val/ape/9.jpg', 'val/wolf/8.jpg'):
        write(tmp_path / name)
    (tmp_path / 'train' / 'ape' / 'boxes.txt').write_text('no image\n')
    return tmp_path


def read(root, folder, **kwargs):
    dataset = ImageFolder(data_root=str(root), data_prefix=dict(img_path=folder), **kwargs)
    return dataset, [dataset.get_data_info(index) for index in range(len(dataset))]


@pytest.mark.parametrize('folder', ['train', 'val'])
def test_reads_what_torchvision_reads(root, folder):
    dataset, entries = read(root, folder)
    expected = TorchvisionImageFolder(str(root / folder))
    assert [(entry['img_path'], entry['label']) for entry in entries] == expected.samples
    assert dataset.metainfo['classes'] == tuple(expected.classes) == ('ape', 'wolf')


def test_a_list_names_files_and_classes(root):
    (root / 'val.txt').write_text('wolf/8.jpg\twolf\t0\t0\t5\t5\n\nape/9.jpg ape\n')
    _, entries = read(root, 'val', ann_file='val.txt')
    assert [(entry['img_path'], entry['label']) for entry in entries] == [
        (f'{root}/val/wolf/8.jpg', 1),
        (f'{root}/val/ape/9.jpg', 0),
    ]


def test_labels_are_those_of_training_when_a_class_comes_first_alphabetically(root):
    write(root / 'val' / 'aardvark' / '1.jpg')
    with pytest.raises(BadDataError, match=r'val: aardvark is none of the classes ape, wolf\.'):
        read(root, 'val')


def test_a_class_without_images_is_named(root):
    (root / 'val' / 'wolf' / '8.jpg').unlink()
    with pytest.raises(BadDataError, match='val: Found no valid file for the classes wolf'):
        read(root, 'val')


def test_the_classes_can_be_given(root):
    dataset, entries = read(root, 'train', metainfo=dict(classes=('wolf', 'ape')))
    assert dataset.metainfo['classes'] == ('wolf', 'ape')
    assert {entry['img_path'].split('/')[-2]: entry['label'] for entry in entries} == {'wolf': 0, 'images': 1}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('wolf/8.jpg cat\n', r"val\.txt, line 1: 'cat' is no class; a line is a file and one of ape, wolf\."),
        ('\nwolf/8.jpg\n', r"val\.txt, line 2: '' is no class"),
        ('wolf/7.jpg wolf\n', r'val\.txt, line 1: there is no .*/val/wolf/7\.jpg\.'),
        ('\n', r'val\.txt: the list of images is empty\.'),
        (None, r'val\.txt: the list of images is missing; check data_root and ann_file\.'),
    ],
)
def test_a_bad_list(root, text, message):
    if text is not None:
        (root / 'val.txt').write_text(text)
    with pytest.raises(BadDataError, match=message):
        read(root, 'val', ann_file='val.txt')


def test_a_missing_folder(tmp_path):
    with pytest.raises(BadDataError, match=r'train: there are no folders of images here, one for each class\.'):
        read(tmp_path, 'train')


def test_a_broken_image_is_passed_over_in_training(root, caplog):
    (root / 'train' / 'wolf' / '1.jpg').write_bytes(b'')
    pipeline = [dict(type='mmdet.CheckedLoadImage', cache_mib=0), dict(type='mmdet.PackImage')]
    dataset, entries = read(root, 'train', pipeline=pipeline)
    broken = next(number for number, entry in enumerate(entries) if entry['img_path'].endswith('1.jpg'))
    np.random.seed(0)
    packed = dataset[broken]
    assert tuple(packed['inputs'].shape) == (3, 9, 12)
