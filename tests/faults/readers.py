"""What tools do with a file that a person hands in: each says 'read' or 'skipped', or raises."""

import json
import math
import re
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mobilenext_det.checkpoints import load_in_full
from mobilenext_det.checkpoints.publish import publish
from mobilenext_det.comparison.intervals import compare_runs
from mobilenext_det.comparison.run_record import read_run
from mobilenext_det.deploy import web
from mobilenext_det.deploy.formats import open_exported
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.train import train
from mobilenext_det.inference.detect import detect
from mobilenext_det.inference.detector import Detector
from tests.faults.contained import Fault
from tests.faults.world import World


class Readers:
    """What reads each kind of file of a world; what is needed for it is made at the first use, in the process used."""

    def __init__(self, world: World) -> None:
        self.world = world
        init_default_scope('mmdet')
        cv2.setNumThreads(0)

    @cached_property
    def config(self):
        return self.world.config

    @cached_property
    def coco_config(self):
        return load_config(self.world.coco_config)

    @cached_property
    def model(self):
        """A network to take the loss of."""
        model = MODELS.build(self.config.model)
        model.init_weights()
        return model.train()

    @cached_property
    def detector(self) -> Detector:
        return Detector(self.config, self.world.checkpoint)

    @cached_property
    def weights(self) -> dict:
        """What the whole checkpoint holds."""
        return torch.load(self.world.copy, weights_only=True)['state_dict']

    @cached_property
    def exported(self):
        return open_exported(self.world.onnx, threads=1)

    @cached_property
    def image(self) -> np.ndarray:
        return cv2.imread(str(self.world.picture))

    def voc(self, path: Path) -> str:
        """Read the data set and train on the picture whose file is damaged, or on the first."""
        return self._train_on(DATASETS.build(self.config.train_dataloader.dataset), path.stem)

    def coco(self, path: Path) -> str:
        """Read the same as COCO has it."""
        return self._train_on(DATASETS.build(self.coco_config.train_dataloader.dataset), path.stem)

    def _train_on(self, dataset, name: str) -> str:
        """Take a sample through the pipeline and the loss, which must be a number."""
        names = [Path(dataset.get_data_info(index)['img_path']).stem for index in range(len(dataset))]
        sample = dataset[names.index(name) if name in names else 0]
        boxes = sample['data_samples'].gt_instances.bboxes
        boxes = getattr(boxes, 'tensor', boxes)
        if not torch.isfinite(boxes).all() or not (boxes[:, 2:] > boxes[:, :2]).all():
            raise Fault(f'trains on boxes {boxes.tolist()}')
        data = self.model.data_preprocessor(pseudo_collate([sample, sample]), training=True)
        loss, _ = self.model.parse_losses(self.model(**data, mode='loss'))
        if not torch.isfinite(loss):
            raise Fault(f'has loss {loss.item()}')
        return 'skipped' if getattr(dataset, 'problems', ()) else 'read'

    def picture(self, path: Path) -> str:
        """Detect objects in a picture as tools/detect.py does, upload it to the page, and train on it."""
        results, failures = detect(self.detector, [str(path)], str(self.world.folder / 'found'), 0.0)
        if len(results) + len(failures) != 1:
            raise Fault(f'{len(results)} results and {len(failures)} sentences of one picture')
        seen, _, _ = web.look(self.exported, str(path))
        _require_numbers(results[0]['detections'] if results else [])
        _require_numbers(seen.detections if seen else [])
        if path.suffix == '.jpg':
            return self.voc(path)
        return 'read' if results else 'sentence'

    def settings(self, path: Path) -> str:
        """Write the data part of a config as a person would, and train and validate for an iteration."""
        written = json.loads(path.read_text()).items()
        lines = [
            re.sub(r"(?<![\w'])(?:nan|inf)(?![\w'])", r"float('\g<0>')", f'{name} = {value!r}')
            for name, value in written
        ]
        config_file = self.world.folder / 'settings.py'
        config_file.write_text('\n'.join([f"_base_ = '{self.world.tiny_config}'", *lines]))
        options = ('train_cfg.max_iters=1', 'train_cfg.val_interval=1', 'default_hooks.checkpoint=None')
        train(load_config(config_file, options), work_dir=self.world.folder / 'settings')
        return 'read'

    def checkpoint(self, path: Path) -> str:
        """Load a checkpoint into its network and publish it; what is read must be what was written."""
        weights = load_in_full(self.model, path, 'the config').state_dict
        publish(path, self.world.folder / 'published' / 'tiny.pth')
        if any(not torch.equal(weights[name], value) for name, value in self.weights.items()):
            raise Fault('weights are other ones than those written')
        return 'read'

    def run_file(self, path: Path) -> str:
        """Read a run of a comparison and compare it with another."""
        other = read_run(path.with_name('bccd_mobilenetv2_block-seed0.json'))
        comparison = compare_runs({'one': [read_run(path)], 'other': [other]})
        json.dumps(comparison.as_dict(), allow_nan=False)
        return 'read'

    def onnx(self, path: Path) -> str:
        """Open an exported file and run it."""
        _require_numbers(open_exported(path, threads=1)(self.image, 0.0))
        return 'read'


def _require_numbers(detections: list[dict]) -> None:
    values = [value for one in detections for value in (one['score'], *one['box'])]
    if not all(map(math.isfinite, values)):
        raise Fault('detections are no numbers')
