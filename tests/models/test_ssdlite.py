"""The detector that asks its parts for their channels, and the other backbones that docs/backbones.md puts into it."""

import re
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData

from mobilenext_det import config_path
from mobilenext_det.deploy.network import ExportableNetwork
from mobilenext_det.deploy.torchscript_file import export_torchscript
from mobilenext_det.errors import UsageError
from mobilenext_det.inference.detector import Detector
from mobilenext_det.models import SSDLite

GUIDE = Path(__file__).parents[2] / 'docs' / 'backbones.md'
RECIPE = 'ssdlite_mobilenext_voc_scratch.py'
RESNET = dict(_delete_=True, type='ResNet', depth=18, out_indices=(2, 3))


def load(name=RECIPE, **options):
    """A config with settings changed by their dotted names, as --cfg-options does it."""
    config = Config.fromfile(config_path(name))
    config.merge_from_dict({f'model.{option.replace("__", ".")}': value for option, value in options.items()})
    return config


def build(*args, **options):
    return MODELS.build(load(*args, **options).model)


def shapes(model):
    return {name: value.shape for name, value in model.state_dict().items()}


def train_a_step(model, size=320):
    """One step on one image; return its loss."""
    sample = DetDataSample(metainfo=dict(img_shape=(size, size), pad_shape=(size, size)))
    box = torch.tensor([[20.0, 30, 200, 250]])
    sample.gt_instances = InstanceData(bboxes=box, labels=torch.tensor([1]))
    image = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=1e-3))
    model.train()
    return model.train_step(dict(inputs=image, data_samples=[sample, sample]), optimizer)['loss']


@pytest.mark.parametrize(('width', 'config'), [(0.35, 'w035'), (0.5, 'w050'), (0.75, 'w075'), (1.4, 'w140')])
def test_a_width_is_one_option(width, config):
    with torch.device('meta'):
        by_option = build(backbone__widen_factor=width)
        by_config = build(f'ssdlite_mobilenext_{config}_voc.py')
    assert shapes(by_option) == shapes(by_config)


def test_a_width_by_option_trains_and_takes_a_checkpoint_of_its_config():
    torch.manual_seed(0)
    by_option, by_config = build(backbone__widen_factor=0.35), build('ssdlite_mobilenext_w035_voc.py')
    assert torch.isfinite(train_a_step(by_option))
    by_option.load_state_dict(by_config.state_dict(), strict=True)


def test_a_width_by_option_detects_and_is_exported(tmp_path):
    torch.manual_seed(0)
    config = load(backbone__widen_factor=0.35)
    model = MODELS.build(config.model)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'weights.pth')
    detector = Detector(config, tmp_path / 'weights.pth')
    network = ExportableNetwork(detector)
    export_torchscript(network, tmp_path / 'model.torchscript', nms=False)
    images = torch.randint(0, 256, (1, 320, 320, 3), dtype=torch.uint8)
    exported = torch.jit.load(tmp_path / 'model.torchscript')(images)
    torch.testing.assert_close(exported, network(images), atol=1e-4, rtol=1e-4)


def test_a_tap_is_one_option():
    with torch.device('meta'):
        by_option = build('ssdlite_mobilenetv2_voc.py', backbone__tap='expansion')
        by_config = build('ssdlite_mobilenetv2_expansion_voc.py')
    assert shapes(by_option) == shapes(by_config)


def test_what_says_its_features_plugs_in():
    """Nothing but `feature_info` is asked for: a network that could not be run gives the channels."""

    class Silent(torch.nn.Module):
        feature_info = [dict(channels=40, stride=16), dict(channels=72, stride=32)]

    config = load().model
    config.backbone = dict(type=Silent)
    assert MODELS.build(config).neck.out_channels == (40, 72, 512, 256, 256, 128)


# Channels that are set


def test_channels_that_are_set_build_the_same_network():
    channels = dict(neck__in_channels=(576, 1280, 1280), bbox_head__in_channels=(576, 1280, 512, 256, 256, 128))
    with torch.device('meta'):
        expected = shapes(build())
        assert shapes(build(**channels)) == expected
        assert shapes(build(type='SingleStageDetector', **channels)) == expected


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        (
            dict(backbone__widen_factor=0.5, neck__in_channels=[576, 1280, 1280]),
            'model.neck.in_channels is (576, 1280, 1280), but MobileNeXt gives (288, 1280, 1280): '
            'leave in_channels out, or set it to these.',
        ),
        (
            dict(bbox_head__in_channels=(576, 1280, 512, 256, 256, 64)),
            'model.bbox_head.in_channels is (576, 1280, 512, 256, 256, 64), but SSDLiteNeck gives '
            '(576, 1280, 512, 256, 256, 128): leave in_channels out, or set it to these.',
        ),
        (
            dict(type='SingleStageDetector'),
            "SSDLiteNeck got no in_channels: let the model be type='SSDLite', which takes them from the network before "
            'it, or set them.',
        ),
        (
            dict(type='SingleStageDetector', neck__in_channels=(576, 1280, 1280)),
            "SSDLiteHead got no in_channels: let the model be type='SSDLite', which takes them from the network before "
            'it, or set them.',
        ),
        (
            dict(backbone=dict(RESNET, out_indices=(1, 2))),
            "SSDLite's priors are for features at strides (16, 32), or (16, 32, 32), but those of ResNet have strides "
            "(8, 16): choose others by the backbone's out_indices.",
        ),
        (
            dict(backbone=dict(RESNET, out_indices=(0, 1, 2, 3))),
            'in_channels must be those of C4, C5 and at most one more feature, but is (64, 128, 256, 512): '
            "choose features by the backbone's out_indices.",
        ),
    ],
    ids=['neck', 'head', 'no neck channels', 'no head channels', 'strides', 'number'],
)
def test_what_does_not_fit_is_said(options, sentence):
    backbone = options.pop('backbone', None)
    config = load(**options).model
    if backbone:
        config.backbone = {key: value for key, value in backbone.items() if key != '_delete_'}
    with torch.device('meta'), pytest.raises(UsageError) as error:
        MODELS.build(config)
    assert str(error.value) == sentence


def test_a_neck_that_does_not_say_its_channels_leaves_the_heads_to_the_config():
    """Mmdet's own, as a config that inherits ours may have it."""
    channels = (576, 1280, 512, 256, 256, 128)
    config = load(backbone__out_indices=(5, 7), backbone__taps=('expansion', 'block')).model
    config.neck = dict(
        type='SSDNeck',
        in_channels=channels[:2],
        out_channels=channels,
        level_strides=(2, 2, 2, 2),
        level_paddings=(1, 1, 1, 1),
        l2_norm_scale=None,
    )
    config.bbox_head.in_channels = channels
    model = MODELS.build(config)
    assert torch.isfinite(train_a_step(model))


# The guide


def guide():
    """The configs of the guide, by their file's name in the text before them."""
    return re.findall(r'```python\n(.+?)```', GUIDE.read_text(), re.DOTALL)


def test_the_guide_has_a_config_of_five_lines():
    assert len(guide()[0].strip().splitlines()) == 5


@pytest.mark.parametrize('number', range(3))
def test_configs_of_the_guide(number, tmp_path):
    path = tmp_path / 'config.py'
    path.write_text(guide()[number])
    config = Config.fromfile(path)
    config.model.backbone.pop('init_cfg', None)  # would be downloaded
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    assert isinstance(model, SSDLite)
    model.init_weights()
    assert torch.isfinite(train_a_step(model))
    sample = DetDataSample(metainfo=dict(img_shape=(320, 320), ori_shape=(320, 320), scale_factor=(1.0, 1.0)))
    with torch.no_grad():
        (result,) = model.eval().test_step(
            dict(inputs=[torch.zeros(3, 320, 320, dtype=torch.uint8)], data_samples=[sample])
        )
    assert len(result.pred_instances) <= 100


def test_with_norm_eval_batches_of_one_image_can_be_trained_on():
    config = load(norm_eval=True)
    model = MODELS.build(config.model).train()
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert model.training
    assert not any(norm.training for norm in norms)
    levels, _ = model(torch.rand(1, 3, 320, 320))
    assert levels[-1].shape[2:] == (1, 1)


def test_a_level_at_stride_8_is_one_more_in_front():
    config = load('own_data/ssdlite_mobilenext_own_stride8.py')
    config.model.backbone.init_cfg = None
    torch.manual_seed(0)
    finer, coarse = MODELS.build(config.model), build('own_data/ssdlite_mobilenext_own.py', backbone__init_cfg=None)
    image = torch.rand(1, 3, 320, 320)
    levels = finer.eval().neck(finer.backbone(image))
    assert [tuple(level.shape[1:]) for level in levels[:3]] == [(144, 40, 40), (288, 20, 20), (1280, 10, 10)]
    coarse.backbone.load_state_dict(finer.backbone.state_dict())
    coarse.neck.load_state_dict(finer.neck.state_dict())
    others = coarse.eval().neck(coarse.backbone(image))
    assert all(torch.equal(*pair) for pair in zip(levels[1:], others, strict=True))
    priors = finer.bbox_head.prior_generator
    assert priors.map_sizes == [tuple(level.shape[2:]) for level in levels]
    assert train_a_step(finer) > 0


def test_a_finer_feature_is_refused_by_a_neck_that_passes_two_on():
    finer = dict(backbone__out_indices=(3, 5, 7), backbone__taps='expansion')
    with pytest.raises(
        UsageError, match=r'strides \(16, 32\), or .*, but those of MobileNeXt have strides \(8, 16, 32\)'
    ):
        build(**finer)
