"""The views that configs/own_data train on."""

import mmdet.datasets.transforms  # noqa: F401  # its names in the registry
import numpy as np
from mmdet.registry import TRANSFORMS

from mobilenext_det import config_path
from mobilenext_det.engine.config import load_config


def steps(name, *options):
    """The training pipeline, by type."""
    pipeline = load_config(config_path(f'own_data/{name}.py'), options).train_dataloader.dataset.pipeline
    return {step.type: step for step in pipeline}


def test_the_config_crops_if_told_to():
    for name, options, crops in (
        ('ssdlite_mobilenext_own_stride8', ['crops=True'], True),
        ('ssdlite_mobilenext_own', [], False),
    ):
        found = steps(name, *options)
        assert ('SSDRandomCrop' in found) == crops
        assert 'SSDExpand' not in found


def test_what_is_known_by_its_colour_keeps_it():
    """SSD's own distortion swaps channels, so that a violet nucleus would be green every other time."""
    found = steps('ssdlite_mobilenext_own')
    assert 'SSDPhotoMetricDistortion' not in found
    distort = TRANSFORMS.build(found['YOLOXHSVRandomAug'])
    violet = np.full((4, 4, 3), (160, 60, 110), np.uint8)
    np.random.seed(0)
    views = np.stack([distort(dict(img=violet.copy()))['img'][0, 0] for _ in range(50)])
    assert len(np.unique(views, axis=0)) > 20
    blue, green, red = views.astype(int).T
    assert (blue > red).all() and (red > green).all()
