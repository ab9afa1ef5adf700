"""The demo: the project's main job from nothing to pictures, on data that it makes itself."""

from __future__ import annotations

import json
import time
from pathlib import Path

from matplotlib.cbook import get_sample_data
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.runner import find_latest_checkpoint

from mobilenext_det._mim import config_path
from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.run_files import shipped_files
from mobilenext_det.engine.train import train
from mobilenext_det.inference.detect import detect
from mobilenext_det.inference.detector import Detector

CONFIG = 'finetune/ssdlite_mobilenext_w050_toy.py'
NUM_PICTURES = 12


def run_demo(data_root: str, work_dir: str) -> dict[str, float]:
    """Draw what is found in a photograph; make the synthetic set, train on it, evaluate, draw, write `summary.json`.

    Args:
        data_root: Folder for the synthetic set; a set that is there is used again.
        work_dir: Folder for log, checkpoints, pictures and summary.

    Returns:
        What `summary.json` holds: `mAP_11points` and `mAP_area` on the held-out scenes, `images_per_second` of
        training, and `seconds` of the whole demo.
    """
    started = time.perf_counter()
    draw_photograph(f'{work_dir}/photograph')
    make_toy_voc(data_root)
    config = load_config(config_path(CONFIG), data_root=data_root)
    train(config, work_dir=work_dir)
    summary = _read_scores()
    _draw(config, data_root, work_dir)
    summary['seconds'] = time.perf_counter() - started
    path = Path(work_dir) / 'summary.json'
    path.write_text(json.dumps(summary, indent=2) + '\n')
    print(f'Detections are drawn in {work_dir}/pictures. {path}:\n{path.read_text()}')
    return summary


def draw_photograph(folder: str) -> None:
    """Draw what the detector that comes along finds in a photograph, which matplotlib brings (public domain).

    Args:
        folder: Where the picture and its detections go.
    """
    config, checkpoint = shipped_files()
    photograph = str(get_sample_data('grace_hopper.jpg', asfileobj=False))
    detect(Detector(load_config(config), checkpoint), [photograph], folder)
    print(f'{folder} shows what the detector that comes along finds in a photograph.')


def _read_scores() -> dict[str, float]:
    """Read the last validation, and the speed of training, from the log of the run that has just ended."""
    log = MessageHub.get_current_instance()
    config = Config.fromstring(log.get_info('cfg'), '.py')
    return {
        'mAP_11points': log.get_scalar('val/voc/mAP_11points').current(),
        'mAP_area': log.get_scalar('val/voc/mAP_area').current(),
        'images_per_second': config.train_dataloader.batch_size / log.get_scalar('train/time').mean(),
    }


def _draw(config: Config, data_root: str, work_dir: str) -> None:
    """Draw the detections of the trained detector in the first held-out scenes."""
    voc = Path(data_root) / 'VOC2007'
    names = (voc / 'ImageSets' / 'Main' / 'test.txt').read_text().split()[:NUM_PICTURES]
    detector = Detector(config, find_latest_checkpoint(work_dir))
    images = [str(voc / 'JPEGImages' / f'{name}.jpg') for name in names]
    detect(detector, images, f'{work_dir}/pictures')
