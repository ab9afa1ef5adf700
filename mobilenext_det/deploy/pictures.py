"""Pictures that export needs: training pictures to calibrate int8 with, others to check the file on."""

from __future__ import annotations

import numpy as np
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from rich.progress import track

from mobilenext_det.datasets.toy_scenes import draw_scene
from mobilenext_det.engine.config import require_data
from mobilenext_det.errors import UsageError
from mobilenext_det.files import files_below
from mobilenext_det.inference.detector import Detector
from mobilenext_det.inference.sources import IMAGES

from .fit import find_fit
from .runtime import read_image


def calibration_images(detector: Detector, number: int = 128, folder: str | None = None) -> np.ndarray:
    """Read pictures of the training set, evenly spread over it, as the network gets them in tests.

    Args:
        detector: The detector, whose config names the training set.
        number: How many at most.
        folder: Pictures to take instead of the config's training set, in whatever depth they lie.

    Returns:
        RGB, uint8, (number, height, width, 3).

    Raises:
        UsageError: If there are no pictures, or exported files cannot prepare them as the test pipeline does.
        DeployError: If a picture cannot be read.
    """
    cfg = detector.config
    if folder is None:
        require_data(cfg, 'train_dataloader')
        paths = image_paths(cfg.train_dataloader.dataset)
    else:
        paths = sorted(str(path) for path in files_below(folder) if path.suffix.lower() in IMAGES)
    if not paths:
        raise UsageError(f'{folder or cfg.filename}: there are no pictures to calibrate int8 with.')
    fit = find_fit(detector)
    chosen = track(_spread(paths, number), 'Calibration pictures', transient=True)
    return np.stack([fit.prepare(read_image(path)) for path in chosen])


def checking_images(cfg: Config, number: int = 16) -> list[np.ndarray]:
    """Read pictures of the test set, evenly spread over it, or draw synthetic scenes if there is no test set.

    Args:
        cfg: The config.
        number: How many at most.

    Returns:
        Pictures (H, W, 3), BGR, uint8.
    """
    try:
        require_data(cfg, 'test_dataloader')
    except UsageError:
        return [draw_scene(0, 'test', index)[0] for index in range(number)]
    return [read_image(path) for path in _spread(image_paths(cfg.test_dataloader.dataset), number)]


def image_paths(dataset: dict) -> list[str]:
    """Return the files of a data set's pictures, in its order.

    Args:
        dataset: Its config.
    """
    init_default_scope('mmdet')
    built = DATASETS.build(dataset)
    return [built.get_data_info(index)['img_path'] for index in range(len(built))]


def _spread(paths: list[str], number: int) -> list[str]:
    """Choose at most so many, from the first to the last."""
    return [paths[index] for index in np.unique(np.linspace(0, len(paths) - 1, number).round().astype(int))]
