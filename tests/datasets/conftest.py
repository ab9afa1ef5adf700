"""Writes small VOC data sets, good and bad."""

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mobilenext_det.datasets import CheckedVOCDataset

CLASSES = ('dog', 'cat')


class VOCFolder:
    """A VOC2007 folder under construction."""

    def __init__(self, root: Path):
        self.root = root
        self.image_ids = []
        for name in ('ImageSets/Main', 'Annotations', 'JPEGImages'):
            (root / 'VOC2007' / name).mkdir(parents=True)
        self.path('JPEGImages', 'Thumbs.db').touch()  # an empty folder is taken for a lost one

    def path(self, *parts) -> Path:
        return self.root.joinpath('VOC2007', *parts)

    def add(self, image_id: str, *objects: str, size=(60, 40), suffix='.jpg', xml=None, name_in_split=True) -> Path:
        """Write an image of (width, height) and its annotation; return the image's path."""
        image = self.path('JPEGImages', image_id + suffix)
        noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        image.write_bytes(cv2.imencode(suffix.lower(), noise)[1].tobytes())
        if xml is None:
            stated = f'<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>'
            xml = f'<annotation>{stated}{"".join(objects)}</annotation>'
        self.path('Annotations', f'{image_id}.xml').write_text(xml)
        if name_in_split:
            self.image_ids.append(image_id)
        return image

    def read(self, classes=CLASSES, serialize_data=False, **kwargs) -> CheckedVOCDataset:
        """Read the set; serialising it, mmengine's default, collects garbage and takes .2 s each time."""
        self.path('ImageSets/Main/trainval.txt').write_text('\n'.join(self.image_ids))
        return CheckedVOCDataset(
            data_root=str(self.root),
            ann_file='VOC2007/ImageSets/Main/trainval.txt',
            data_prefix=dict(sub_data_root='VOC2007/'),
            metainfo=dict(classes=classes),
            serialize_data=serialize_data,
            **kwargs,
        )


def voc_object(name='dog', box=(11, 12, 30, 35), difficult='<difficult>0</difficult>') -> str:
    corners = ''.join(f'<{k}>{v}</{k}>' for k, v in zip(('xmin', 'ymin', 'xmax', 'ymax'), box, strict=True))
    return f'<object><name>{name}</name>{difficult}<bndbox>{corners}</bndbox></object>'


@pytest.fixture
def obj():
    return voc_object


@pytest.fixture
def voc(tmp_path) -> VOCFolder:
    return VOCFolder(tmp_path)


def distort_by_the_recipe(img, flags):
    """The colour distortion in plain float64; img (H, W, 3) is BGR, flags as PhotoMetricDistortion draws them."""
    mode, brightness, contrast, saturation, hue, swap, delta, factor, saturation_factor, turn, order = flags
    img = img.astype(np.float64)
    if brightness:
        img = img + delta
    if contrast and mode == 1:
        img = img * factor
    b, g, r = np.moveaxis(img, -1, 0)
    value, spread = img.max(-1), np.ptp(img, -1)
    safe = np.where(spread == 0, 1, spread)
    hues = np.select(
        [value == r, value == g], [60 * (g - b) / safe, 120 + 60 * (b - r) / safe], 240 + 60 * (r - g) / safe
    )
    # A brightened image may have values below 0, for which OpenCV divides by |value|.
    saturations = spread / (np.abs(value) + np.finfo(np.float32).eps)
    if saturation:
        saturations = saturations * saturation_factor
    if hue:
        hues = hues + turn

    def channel(n):
        k = (n + hues / 60) % 6
        return value - value * saturations * np.minimum(np.minimum(k, 4 - k), 1).clip(0)

    img = np.stack([channel(1), channel(3), channel(5)], -1)
    if contrast and mode == 0:
        img = img * factor
    return img[..., list(order)] if swap else img


@pytest.fixture
def distort():
    return distort_by_the_recipe


class _Collector(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


@pytest.fixture
def log():
    """The warnings that reach mmengine's logger."""
    collector, logger = _Collector(), MMLogger.get_current_instance()
    logger.addHandler(collector)
    yield collector.lines
    logger.removeHandler(collector)


@pytest.fixture(scope='module', autouse=True)
def _scope():
    init_default_scope('mmdet')
