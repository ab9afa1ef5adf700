"""A network, a data set and a metric so small that a whole run takes a fraction of a second."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import DATASETS, METRICS, MODELS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mobilenext_det.engine.detector import Detector

NAMES = (f'run_{number}' for number in itertools.count())


@MODELS.register_module()
class TinyNet(BaseModel):
    """A convolution, batch norm and a layer per class; `seen` lists the samples of every training step."""

    def __init__(self, classes=3):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.head = nn.Linear(4, classes)
        self.seen = []

    def init_weights(self):
        super().init_weights()
        generator = torch.Generator().manual_seed(1)
        for parameter in self.parameters():
            nn.init.normal_(parameter, generator=generator)

    def forward(self, image, index, mode='tensor'):
        output = self.head(self.norm(self.conv(image)).mean((2, 3)))
        if mode == 'loss':
            self.seen.append(index.tolist())
            return dict(loss=output.square().mean())
        return [dict(score=value) for value in output.sum(1).tolist()]


@TRANSFORMS.register_module()
class TinyNoise(BaseTransform):
    """Make an image: the sample's number plus noise."""

    def __init__(self, scale=1.0):
        self.scale = scale

    def transform(self, results):
        image = results['number'] + self.scale * np.random.rand(3, 6, 6).astype(np.float32)
        return dict(image=torch.from_numpy(image), index=results['number'])


@DATASETS.register_module()
class TinyDataset(BaseDataset):
    """Ten samples; `reads` counts how many were asked for."""

    METAINFO = dict(classes=('a', 'b', 'c'), palette=np.eye(3))
    reads = 0

    def load_data_list(self):
        return [dict(number=number) for number in range(10)]

    def prepare_data(self, idx):
        self.reads += 1
        return super().prepare_data(idx)


@METRICS.register_module()
class TinyMetric(BaseMetric):
    """The mean output, as a NumPy number."""

    def process(self, data_batch, data_samples):
        self.results.extend(sample['score'] for sample in data_samples)

    def compute_metrics(self, results):
        return dict(score=np.float64(np.mean(results)))


def tiny_config(work_dir, **settings):
    train_data = dict(type='TinyDataset', pipeline=[dict(type='SeedBySample'), dict(type='TinyNoise')])
    val_data = dict(type='TinyDataset', pipeline=[dict(type='TinyNoise', scale=0)])
    loader = dict(batch_size=4, num_workers=0, collate_fn=dict(type='default_collate'))
    config = Config(
        dict(
            default_scope='mmdet',
            work_dir=str(work_dir),
            experiment_name=next(NAMES),  # mmengine keeps logs by this name, to the second
            model=dict(type='TinyNet'),
            train_dataloader=dict(dataset=train_data, sampler=dict(type='ResumableSampler'), **loader),
            val_dataloader=dict(dataset=val_data, sampler=dict(type='DefaultSampler', shuffle=False), **loader),
            val_evaluator=dict(type='TinyMetric'),
            train_cfg=dict(type='ResumableIterBasedTrainLoop', max_iters=8, val_interval=4),
            val_cfg=dict(),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=3),
                dict(type='MultiStepLR', by_epoch=False, milestones=[5, 7]),
            ],
            default_hooks=dict(
                checkpoint=dict(type='SafeCheckpointHook', by_epoch=False, interval=2, save_best='score', rule='less'),
                checkpoint_fit=dict(type='CheckpointFitHook'),
                logger=dict(type='LoggerHook', log_metric_by_epoch=False),
            ),
            env_cfg=dict(mp_cfg=dict(mp_start_method='fork')),
            log_processor=dict(by_epoch=False),
            log_level='WARNING',
            randomness=dict(seed=3),
        )
    )
    config.merge_from_dict(settings)
    return config


@pytest.fixture
def tiny_runner(tmp_path):
    """Make a runner of the tiny network, with the settings given as keyword arguments."""

    def make(work_dir=tmp_path, **settings):
        return Runner.from_cfg(tiny_config(work_dir, **settings))

    return make


TOY_CONFIG = Path(__file__).parents[2] / 'configs' / 'ssdlite_mobilenext_toy.py'


@pytest.fixture(scope='session')
def untrained(tmp_path_factory):
    """A checkpoint of the toy config without a step of training, whose batch norms have seen noise."""
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(TOY_CONFIG).model)
    model.init_weights()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    model.train()(torch.randn(8, 3, 192, 192))
    path = tmp_path_factory.mktemp('untrained') / 'untrained.pth'
    names = tuple(f'kind_{number}' for number in range(20))
    torch.save(dict(state_dict=model.state_dict(), meta=dict(dataset_meta=dict(classes=names))), path)
    return path


@pytest.fixture(scope='session')
def detector(untrained):
    return Detector(str(TOY_CONFIG), str(untrained), cfg_options=['model.test_cfg.max_per_img=9'])
