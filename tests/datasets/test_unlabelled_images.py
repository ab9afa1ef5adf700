import cv2
import numpy as np
import pytest

from mobilenext_det.datasets import UnlabelledImages
from mobilenext_det.errors import BadDataError


@pytest.fixture
def root(tmp_path):
    for name in ('b/2.JPEG', 'a/deep/1.png', '3.jpg'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(tmp_path / name), np.zeros((4, 4, 3), np.uint8))
    (tmp_path / 'a' / 'notes.txt').write_text('no image\n')
    return tmp_path


def paths(root, **kwargs):
    dataset = UnlabelledImages(data_root=str(root), **kwargs)
    entries = [dataset.get_data_info(index) for index in range(len(dataset))]
    assert {entry['label'] for entry in entries} == {-1}
    return [entry['img_path'].removeprefix(f'{root}/') for entry in entries]


def test_all_images_of_a_tree(root):
    assert paths(root) == ['3.jpg', 'a/deep/1.png', 'b/2.JPEG']
    assert paths(root, data_prefix=dict(img_path='a')) == ['a/deep/1.png']


def test_a_list_takes_what_it_names_in_its_order(root):
    (root / 'trainval.txt').write_text('b/2  1\n\n3.jpg\n')
    assert paths(root, ann_file='trainval.txt') == ['b/2.JPEG', '3.jpg']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('3\n7\n8\n', r'list\.txt: there is no image 7 in .* \(2 in all\)\.'),
        ('\n', r'list\.txt: there are no images here\.'),
        (None, r'list\.txt: the list of images is missing; check ann_file\.'),
    ],
)
def test_a_bad_list(root, text, message):
    if text is not None:
        (root / 'list.txt').write_text(text)
    with pytest.raises(BadDataError, match=message):
        paths(root, ann_file='list.txt')


def test_a_folder_that_is_missing_or_empty(root):
    with pytest.raises(BadDataError, match=r'there is no such folder of images; check data_root and data_prefix\.'):
        paths(root / 'c')
    (root / 'empty').mkdir()
    with pytest.raises(BadDataError, match=r'empty: there are no images here\.'):
        paths(root / 'empty')
