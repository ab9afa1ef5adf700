import cv2
import numpy as np
import pytest

from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.deploy.pictures import calibration_images, checking_images
from mobilenext_det.deploy.runtime import DeployError, Fit
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector
from tests.fixtures.shipped import TOY_DETECTOR

SQUARE = Fit(192, 192)


@pytest.fixture(scope='module')
def toy(tmp_path_factory):
    root = tmp_path_factory.mktemp('pictures') / 'toy'
    make_toy_voc(root, trainval=10, test=5, workers=1)
    return root


def config(toy, root):
    return load_config(str(root / 'configs' / 'ssdlite_mobilenext_toy.py'), data_root=str(toy))


@pytest.fixture(scope='module')
def detector(toy, request):
    root = request.config.rootpath
    return Detector(config(toy, root), TOY_DETECTOR)


def read(toy, number):
    return cv2.imread(str(toy / 'VOC2007' / 'JPEGImages' / f'{number:06d}.jpg'))


def test_calibration_takes_training_pictures_spread_over_the_set(toy, detector):
    pictures = calibration_images(detector, 4)
    np.testing.assert_array_equal(pictures, [SQUARE.prepare(read(toy, number)) for number in (1, 4, 7, 10)])
    assert len(calibration_images(detector, 100)) == 10


def test_checking_takes_test_pictures(toy, detector):
    pictures = checking_images(detector.config, 2)
    for picture, number in zip(pictures, (11, 15), strict=True):
        np.testing.assert_array_equal(picture, read(toy, number))


def test_a_folder_can_stand_for_the_training_set(toy, detector, tmp_path):
    (tmp_path / 'deep').mkdir()
    cv2.imwrite(str(tmp_path / 'deep' / 'one.png'), read(toy, 1))
    pictures = calibration_images(detector, folder=str(tmp_path))
    np.testing.assert_array_equal(pictures, [SQUARE.prepare(read(toy, 1))])
    (tmp_path / 'two.jpg').write_text('no picture')
    with pytest.raises(DeployError, match='two.jpg is no picture that can be read'):
        calibration_images(detector, folder=str(tmp_path))


def test_without_pictures_int8_is_refused_and_scenes_are_drawn_for_the_check(detector, tmp_path, request, monkeypatch):
    cfg = config(tmp_path, request.config.rootpath)
    monkeypatch.setattr(detector, 'config', cfg)
    with pytest.raises(UsageError, match='There is no'):
        calibration_images(detector)
    with pytest.raises(UsageError, match='no pictures to calibrate int8 with'):
        calibration_images(detector, folder=str(tmp_path))
    assert [picture.dtype for picture in checking_images(cfg, 3)] == [np.uint8] * 3
