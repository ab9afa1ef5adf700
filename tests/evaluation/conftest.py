"""A small set in VOC layout, with detections as devkit files, made by hand."""

import cv2
import numpy as np
import pytest

OBJECT = (
    '<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>'
    '<ymax>{}</ymax></bndbox></object>'
)


class VOCFolder:
    """Writes a VOC folder and devkit files; boxes count pixels from 1, as in the files."""

    def __init__(self, path):
        self.root = path / 'VOC2007'
        self.detections = path / 'detections'
        for name in ('Annotations', 'ImageSets/Main', 'JPEGImages'):
            (self.root / name).mkdir(parents=True)
        self.detections.mkdir()

    def annotate(self, image_id, *objects, size=(160, 120)):
        """Write one image and its XML; an object is (name, difficult, x1, y1, x2, y2)."""
        text = f'<size><width>{size[0]}</width><height>{size[1]}</height><depth>3</depth></size>'
        text += ''.join(OBJECT.format(*item) for item in objects)
        (self.root / 'Annotations' / f'{image_id}.xml').write_text(f'<annotation>{text}</annotation>')
        noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        cv2.imwrite(str(self.root / 'JPEGImages' / f'{image_id}.jpg'), noise)

    def split(self, *image_ids):
        (self.root / 'ImageSets/Main/test.txt').write_text(''.join(f'{image_id}\n' for image_id in image_ids))

    def detect(self, name, *lines):
        path = self.detections / f'comp4_det_test_{name}.txt'
        path.write_text(''.join(f'{line}\n' for line in lines))
        return path


@pytest.fixture
def voc(tmp_path):
    """Two images: a dog found, a cat found twice, a difficult dog found, a dog missed, a cat taken for a dog."""
    folder = VOCFolder(tmp_path)
    folder.annotate('000001', ('dog', 0, 11, 11, 50, 50), ('cat', 0, 81, 21, 140, 80))
    folder.annotate('000002', ('dog', 1, 11, 11, 50, 50), ('dog', 0, 101, 61, 150, 110), ('cat', 0, 21, 71, 60, 110))
    folder.split('000001', '000002')
    folder.detect('dog', '000001 0.9 11 11 50 50', '000002 0.8 11 11 50 50', '000002 0.7 21 71 60 110')
    folder.detect('cat', '000001 0.6 81 21 140 80', '000001 0.5 81 21 140 79.5')
    return folder
