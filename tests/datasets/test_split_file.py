"""Lists of images as editors, shells and other projects write them."""

import codecs
import re

import pytest

from mobilenext_det.datasets.split_file import read_split
from mobilenext_det.errors import BadDataError

NAMES = ['img0', 'img 1', 'sub/img2', '#3']
TEXT = '\n'.join(NAMES)


@pytest.mark.parametrize(
    'content',
    [
        TEXT.encode(),
        TEXT.replace('\n', '  \r\n').encode() + b'\r\n\r\n',
        codecs.BOM_UTF8 + TEXT.encode(),
        TEXT.encode('utf-16'),
        TEXT.encode('utf-16-le'),
        codecs.BOM_UTF16_BE + TEXT.encode('utf-16-be'),
        ''.join(f'{name}  {flag}\n' for name, flag in zip(NAMES, (1, -1, 0, -1), strict=True)).encode(),
        ''.join(
            f'{name}.{ending}\n' for name, ending in zip(NAMES, ('jpg', 'XML', 'JPG', 'webp'), strict=True)
        ).encode(),
        ''.join(f'/home/x/JPEGImages/{name}.jpg\n' for name in NAMES).encode(),
        ''.join(f'..\\JPEGImages\\{name}.png\n' for name in NAMES).encode(),
        f'# my split\n{TEXT}'.encode(),
    ],
)
def test_names_come_out_whatever_wrote_them(tmp_path, content):
    (tmp_path / 'a.txt').write_bytes(content)
    assert read_split(tmp_path / 'a.txt', NAMES.__contains__) == NAMES


def test_pairs_are_read_by_their_image(tmp_path):
    (tmp_path / 'a.txt').write_text('JPEGImages/a.jpg Annotations/a.xml\nJPEGImages/b.c.jpg Annotations/b.c.xml\n')
    assert read_split(tmp_path / 'a.txt', ('a', 'b.c').__contains__) == ['a', 'b.c']


def test_what_has_no_annotation_stands_as_it_is(tmp_path):
    (tmp_path / 'a.txt').write_text('gone 1\nphoto 2\nphoto\n')
    assert read_split(tmp_path / 'a.txt', ('photo',).__contains__) == ['gone 1', 'photo 2', 'photo']


def test_other_encodings_are_refused_with_the_line(tmp_path):
    (tmp_path / 'a.txt').write_bytes(b'img0\n' + 'фото'.encode('cp1251'))
    with pytest.raises(BadDataError, match=re.escape('a.txt, line 2: ') + '.* is not UTF-8; save the file as UTF-8'):
        read_split(tmp_path / 'a.txt', NAMES.__contains__)
    (tmp_path / 'a.txt').write_bytes(b'\n \n')
    with pytest.raises(BadDataError, match='the split file is empty'):
        read_split(tmp_path / 'a.txt', NAMES.__contains__)
