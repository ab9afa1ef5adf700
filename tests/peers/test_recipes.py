import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

from mobilenext_det.engine.config import load_config
from mobilenext_det.peers.recipes import PEERS, peer_config, steps_of_epoch


def numbers(value):
    """All whole numbers in a nested setting."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [number for each in value for number in numbers(each)]
    return [value] if type(value) is int else []


@pytest.mark.parametrize('name', PEERS)
def test_a_peer_learns_the_classes_of_the_data_at_its_size(name, prepared):
    own = load_config(prepared.config)
    config = peer_config(PEERS[name], own, 60)
    init_default_scope('mmdet')
    model = MODELS.build(config.model).eval()
    assert model.bbox_head.num_classes == 2
    assert not [module for module in model.modules() if isinstance(module, torch.nn.SyncBatchNorm)]
    assert config.model.backbone.init_cfg is None
    pipelines = (config.train_dataloader.dataset.pipeline, config.test_dataloader.dataset.pipeline)
    in_pixels = {abs(number) for number in numbers(pipelines) if abs(number) > 100}
    assert in_pixels <= {160, 320, 114}  # the side, twice the side of what is cropped, and the grey of padding
    assert {160} <= in_pixels
    assert config.test_evaluator.ann_file == config.test_dataloader.dataset.ann_file
    assert config.test_dataloader.dataset.ann_file.endswith('val.json')  # there is no test part


@pytest.mark.parametrize('epochs', [1, 3, 60, 300])
@pytest.mark.parametrize('name', PEERS)
def test_schedules_end_with_the_training(name, epochs, prepared):
    own = load_config(prepared.config)
    config = peer_config(PEERS[name], own, epochs)
    assert config.train_cfg.max_epochs == epochs
    for scheduler in config.param_scheduler:
        end = scheduler.end if scheduler.get('by_epoch', True) else scheduler.end / steps_of_epoch(own)
        assert scheduler.begin < scheduler.end
        assert end <= epochs
    assert max(scheduler.end for scheduler in config.param_scheduler if scheduler.get('by_epoch', True)) == epochs
    for hook in config.custom_hooks:
        assert hook.get('switch_epoch', epochs) <= epochs
        assert hook.get('num_last_epochs', 1) <= epochs


def test_the_rate_goes_with_the_batch(prepared):
    own = load_config(prepared.config)
    for name, published in (
        ('rtmdet-tiny', 0.004 / 256),
        ('yolox-tiny', 0.01 / 64),
        ('ssdlite-mobilenetv2', 0.015 / 192),
    ):
        config = peer_config(PEERS[name], own, 60)
        assert config.optim_wrapper.optimizer.lr == pytest.approx(published * own.batch_size)
