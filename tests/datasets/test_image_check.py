import io

import cv2
import numpy as np
import pytest
from PIL import Image

from mobilenext_det.datasets.image_check import BrokenImageError, check_complete, image_size

PIXELS = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def encoded(suffix: str, **kwargs) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, suffix, **kwargs)
    return file.getvalue()


@pytest.mark.parametrize('suffix', ['jpeg', 'png', 'bmp'])
def test_whole_image(tmp_path, suffix):
    path = tmp_path / 'image'
    path.write_bytes(encoded(suffix))
    assert image_size(str(path)) == (60, 40)


@pytest.mark.parametrize('suffix', ['jpeg', 'png'])
@pytest.mark.parametrize('share', [0.3, 0.6, 0.95])
def test_cut_off_image_is_named_with_its_length(tmp_path, suffix, share):
    path = tmp_path / 'image'
    content = encoded(suffix)
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BrokenImageError, match=f'the image is cut off .*{path.stat().st_size} bytes'):
        check_complete(str(path))


def test_a_cut_off_image_of_a_format_without_an_end_is_decoded_to_be_found_out(tmp_path):
    path = tmp_path / 'image'
    path.write_bytes(encoded('bmp')[:1000])
    with pytest.raises(BrokenImageError):
        image_size(str(path))


def test_zeros_for_an_end_which_cv2_decodes_without_a_word(tmp_path):
    path = tmp_path / 'image'
    content = encoded('jpeg')
    path.write_bytes(content[:1000] + bytes(len(content) - 1000))
    assert cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR).shape == (40, 60, 3)
    with pytest.raises(BrokenImageError, match='never written to its end'):
        check_complete(str(path))


def test_end_of_a_thumbnail_is_not_the_end_of_the_image(tmp_path):
    path = tmp_path / 'image'
    content, thumbnail = encoded('jpeg'), encoded('jpeg', quality=5)
    segment = b'\xff\xe1' + (2 + len(thumbnail)).to_bytes(2, 'big') + thumbnail
    content = content[:2] + segment + content[2:]
    path.write_bytes(content[:-500])
    with pytest.raises(BrokenImageError, match='cut off'):
        check_complete(str(path))
    path.write_bytes(content + b'notes')
    assert image_size(str(path)) == (60, 40)


@pytest.mark.parametrize('suffix', ['jpeg', 'png'])
def test_bytes_after_the_end_are_no_fault(tmp_path, suffix):
    path = tmp_path / 'image'
    path.write_bytes(encoded(suffix) + b'notes with a scan marker \xff\xda in them')
    assert image_size(str(path)) == (60, 40)


@pytest.mark.parametrize('orientation', range(1, 9))
def test_size_is_that_of_the_image_as_cv2_loads_it(tmp_path, orientation):
    path = tmp_path / 'image.jpg'
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.write_bytes(encoded('jpeg', exif=exif))
    height, width = cv2.imread(str(path)).shape[:2]
    assert image_size(str(path)) == (width, height)
    assert (width, height) == ((60, 40) if orientation < 5 else (40, 60))


@pytest.mark.parametrize('content', [b'', b'x', b'<html>not found</html>'])
def test_file_that_is_no_image(tmp_path, content):
    path = tmp_path / 'image.jpg'
    path.write_bytes(content)
    with pytest.raises(BrokenImageError, match='the file is not an image'):
        image_size(str(path))


def test_missing_file(tmp_path):
    with pytest.raises(BrokenImageError, match='the image cannot be read .No such file'):
        check_complete(str(tmp_path / 'gone.jpg'))
