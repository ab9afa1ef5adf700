"""What a setting leads to after the first picture, which is prepared when a run is built."""

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmengine.dataset import DefaultSampler

from mobilenext_det.engine.build import build_runner
from mobilenext_det.errors import BadDataError, UsageError
from tests.fixtures.tiny_network import tiny_config


@TRANSFORMS.register_module()
class FailsLater(BaseTransform):
    """Fails with every sample but the first, in the way that is asked for."""

    def __init__(self, how):
        self.how = how

    def __repr__(self):
        return f'FailsLater(how={self.how!r})'

    def transform(self, results):
        if results['index'] == 0:
            return results
        if self.how == 'sentence':
            raise BadDataError('list.txt is empty.')
        if self.how == 'smaller':
            return dict(results, image=torch.zeros(3, 5, 5))
        return np.zeros((2, 3)) @ np.zeros((2, 3))


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('phase', ['train', 'val'])
@pytest.mark.parametrize(
    ('how', 'error', 'said'),
    [
        ('raise', UsageError, r"^run.py: FailsLater\(how='raise'\) cannot be done with an image \(ValueError at .*: m"),
        (
            'smaller',
            UsageError,
            r'^run.py: \w+_dataloader gives no batch as it is set \(RuntimeError at .*: (stack ex|Trying)',
        ),
        ('sentence', BadDataError, r'^list.txt is empty\.$'),
    ],
)
def test_what_fails_later_is_named(tmp_path, workers, phase, how, error, said):
    steps = [dict(type='TinyNoise'), dict(type='FailsLater', how=how)]
    runner = runner_of(
        tmp_path, {f'{phase}_dataloader.dataset.pipeline': steps, f'{phase}_dataloader.num_workers': workers}
    )
    with pytest.raises(error, match=said) as caught:
        runner.train()
    assert '\n' not in str(caught.value)


def runner_of(tmp_path, settings):
    config = tiny_config(tmp_path, **settings)
    object.__setattr__(config, '_filename', 'run.py')
    return build_runner(config, 'train', 'val')


def test_pipelines_of_wrapped_data_sets_are_named(tmp_path):
    inner = dict(type='TinyDataset', pipeline=[dict(type='TinyNoise'), dict(type='FailsLater', how='raise')])
    both = dict(type='mmengine.ConcatDataset', datasets=[dict(type='RepeatDataset', dataset=inner, times=2)])
    runner = runner_of(tmp_path, {'train_dataloader.dataset': dict(both, _delete_=True)})
    with pytest.raises(UsageError, match='FailsLater'):
        runner.train()


@pytest.mark.parametrize('workers', [0, 1])
def test_what_a_sampler_does_is_named(tmp_path, monkeypatch, workers):
    monkeypatch.setattr(DefaultSampler, '__iter__', lambda self: (index * (1 // (1 - index)) for index in range(3)))
    with pytest.raises(UsageError, match='^run.py: val_dataloader gives no batch as it is set'):
        runner_of(tmp_path, {'val_dataloader.num_workers': workers}).train()
