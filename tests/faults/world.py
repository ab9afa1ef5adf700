"""What the campaign damages: ten pictures, a detector of 160 pixels, and one whole file of each kind."""

import json
import multiprocessing
import shutil
from pathlib import Path

import cv2
import mmengine.config.config as mmengine_config
from mmdet.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from yapf.yapflib import yapf_api

from mobilenext_det.datasets.toy_voc import make_toy_voc
from mobilenext_det.deploy.formats import write_exported
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.train import train
from mobilenext_det.inference.detector import Detector

ROOT = Path(__file__).parents[2]
TINY = """
_base_ = '{root}/configs/ssdlite_mobilenext_toy.py'
resize = dict(type='Resize', scale=(160, 160), keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
test_pipeline = [resize if t.type == 'Resize' else t for t in _base_.test_pipeline]
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=4, dataset=dict(data_root='{folder}/toy', pipeline=train_pipeline), **loader)
val_dataloader = dict(batch_size=2, dataset=dict(data_root='{folder}/toy', pipeline=test_pipeline), **loader)
test_dataloader = val_dataloader
model = dict(bbox_head=dict(anchor_generator=dict(input_size=160)))
train_cfg = dict(max_iters=12, val_interval=6)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=4),
    dict(type='LinearLR', start_factor=1, end_factor=0, by_epoch=False, begin=8, end=12),
]
default_hooks = dict(checkpoint=dict(interval=2), logger=dict(interval=1))
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(vis_backends=vis_backends)
log_level = 'WARNING'
"""
COCO = """
_base_ = '{root}/configs/ssdlite_mobilenext_coco.py'
resize = dict(type='Resize', scale=(160, 160), keep_ratio=False)
train_pipeline = [resize if t.type == 'Resize' else t for t in _base_.train_pipeline]
own = dict(data_root='', data_prefix=dict(img='{folder}/toy/VOC2007/JPEGImages/'), metainfo=dict(classes={classes}))
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=4, dataset=dict(ann_file='{folder}/coco.json', pipeline=train_pipeline, **own), **loader
)
model = dict(bbox_head=dict(num_classes=20))
"""


class World:
    """A folder with a VOC data set, the same as COCO, configs, a finished training, an exported file and a run file.

    Attributes:
        voc: The data set.
        split: Its list of training pictures.
        picture: A PNG.
        coco: Annotations of the training pictures as COCO has them.
        tiny_config, coco_config: Configs of either.
        work_dir: A training of `tiny_config` of twelve iterations.
        checkpoint: Its last checkpoint.
        copy: The same, which stays whole.
        settings: The data part of `tiny_config`, as plain values.
        onnx: The checkpoint, exported.
        run_file: A run of a comparison, and beside it another.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.voc = self.folder / 'toy' / 'VOC2007'
        self.split = self.voc / 'ImageSets' / 'Main' / 'trainval.txt'
        self.picture = self.folder / 'picture.png'
        self.coco = self.folder / 'coco.json'
        self.tiny_config, self.coco_config = self.folder / 'tiny.py', self.folder / 'coco.py'
        self.work_dir = self.folder / 'whole'
        self.checkpoint = self.work_dir / 'iter_12.pth'
        self.copy = self.folder / 'copy.pth'
        self.settings = self.folder / 'settings.json'
        self.onnx = self.folder / 'tiny.onnx'
        self.run_file = self.folder / 'runs' / 'bccd_mobilenext-seed0.json'

    def make(self) -> None:
        """Write all of it, what computes in a process of its own: others are forked from this one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        make_toy_voc(self.folder / 'toy', trainval=8, test=2, seed=0, size=96, workers=1)
        cv2.imwrite(str(self.picture), cv2.imread(str(self.voc / 'JPEGImages' / f'{self.ids[0]}.jpg')))
        self.tiny_config.write_text(TINY.format(root=ROOT, folder=self.folder))
        for name in ('bccd_mobilenext-seed0.json', 'bccd_mobilenetv2_block-seed0.json'):
            self.run_file.parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / 'docs' / 'comparison' / 'bccd' / 'runs' / name, self.run_file.with_name(name))
        process = multiprocessing.get_context('fork').Process(target=self._compute)
        process.start()
        process.join()
        assert process.exitcode == 0

    def _compute(self) -> None:
        lay_out_nothing()
        init_default_scope('mmdet')
        config = self.config
        dataset = DATASETS.build(config.train_dataloader.dataset)
        classes = dataset.metainfo['classes']
        self.coco_config.write_text(COCO.format(root=ROOT, folder=self.folder, classes=classes))
        self.coco.write_text(json.dumps(_as_coco(dataset, classes)))
        loaders = {name: dict(config[name].to_dict(), _delete_=True) for name in ('train_dataloader', 'val_dataloader')}
        self.settings.write_text(json.dumps(loaders))
        train(config, work_dir=self.work_dir)
        shutil.copy(self.checkpoint, self.copy)
        write_exported(Detector(config, self.checkpoint), self.folder, 'onnx')

    @property
    def config(self) -> Config:
        """Read the detector's config."""
        return load_config(self.tiny_config)

    @property
    def ids(self) -> list[str]:
        """Return the names of the training pictures."""
        return self.split.read_text().split()


def lay_out_nothing() -> None:
    """Leave the text of configs as it is in this process: mmengine lays it out for every checkpoint, in a second."""
    mmengine_config.FormatCode = yapf_api.FormatCode = lambda text, **_: (text, True)


def _as_coco(dataset, classes) -> dict:
    images, annotations = [], []
    for number in range(len(dataset)):
        entry = dataset.get_data_info(number)
        name = Path(entry['img_path']).name
        images.append(dict(id=number, file_name=name, width=entry['width'], height=entry['height']))
        for one in entry['instances']:
            x1, y1, x2, y2 = one['bbox']
            box, area = [x1, y1, x2 - x1, y2 - y1], (x2 - x1) * (y2 - y1)
            place = dict(id=len(annotations) + 1, image_id=number, category_id=one['bbox_label'] + 1)
            annotations.append(dict(**place, bbox=box, area=area, iscrowd=0))
    categories = [dict(id=label, name=name) for label, name in enumerate(classes, start=1)]
    return dict(images=images, annotations=annotations, categories=categories)
