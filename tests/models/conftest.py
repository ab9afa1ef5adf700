"""What several test files of the models share: a counter of multiply-adds and the detectors to count in."""

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import mobilenext_det.models  # noqa: F401  (registers)

NECKS = {
    'MobileNeXt': dict(type='SSDLiteNeck'),
    'TappedMobileNetV2': dict(type='SSDLiteNeck', block='inverted_residual'),
}
CHANNELS = (576, 1280, 512, 256, 256, 128)  # of the levels of MobileNeXt
HEAD = dict(
    type='SSDLiteHead',
    num_classes=20,
    anchor_generator=dict(type='SSDLitePriorGenerator'),
    bbox_coder=dict(type='DeltaXYWHBBoxCoder', target_means=[0.0, 0.0, 0.0, 0.0], target_stds=[0.1, 0.1, 0.2, 0.2]),
    train_cfg=dict(
        assigner=dict(type='BatchMaxIoUAssigner', iou_thr=0.5),
        sampler=dict(type='PseudoSampler'),
        smoothl1_beta=1.0,
        allowed_border=-1,
        pos_weight=-1,
        neg_pos_ratio=3,
        debug=False,
    ),
    test_cfg=dict(nms=dict(type='nms', iou_threshold=0.45), score_thr=0.01, max_per_img=100),
)


def build_head(**changes):
    """The recipe's head, with its training and testing settings."""
    return MODELS.build(ConfigDict(copy.deepcopy(HEAD) | dict(in_channels=CHANNELS) | changes))


def build_ssdlite(backbone, num_classes=20, input_size=320):
    """The recipe's detector around a backbone."""
    head = copy.deepcopy(HEAD) | dict(num_classes=num_classes)
    head['anchor_generator']['input_size'] = input_size
    # A detector hands its own settings down to its head.
    settings = {name: head.pop(name) for name in ('train_cfg', 'test_cfg')}
    preprocessor = dict(
        type='DetDataPreprocessor',
        mean=[123, 117, 104],
        std=[255 * 0.229, 255 * 0.224, 255 * 0.225],
        bgr_to_rgb=True,
    )
    return MODELS.build(
        ConfigDict(
            type='SSDLite',
            data_preprocessor=preprocessor,
            backbone=backbone,
            neck=NECKS[backbone['type']],
            bbox_head=head,
            **settings,
        )
    )


def count_params(module):
    """Trainable scalars."""
    return sum(p.numel() for p in module.parameters())


def count_madds(module, size, parts=None):
    """Multiply-adds of all convolutions for one image, per part: outputs times the weights that make one of them.

    The module lies on the meta device, where shapes are real and nothing is computed. PyTorch's own counter must come
    to the same total (it counts two operations for each multiply-add).
    """
    parts = {'all': module} if parts is None else parts
    madds = dict.fromkeys(parts, 0)
    handles = []
    for name, part in parts.items():
        for conv in part.modules():
            if isinstance(conv, nn.Conv2d):

                def hook(conv, inputs, output, name=name):
                    madds[name] += output.numel() * conv.weight[0].numel()

                handles.append(conv.register_forward_hook(hook))
    with FlopCounterMode(display=False) as counter:
        module.eval()(torch.empty(1, 3, size, size, device='meta'))
    for handle in handles:
        handle.remove()
    assert counter.get_total_flops() == 2 * sum(madds.values())
    return madds if len(madds) > 1 else madds['all']


def randomise(module, seed=0):
    """Give every parameter and statistic a value of its own, so that none can be left out unseen."""
    torch.manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
            nn.init.normal_(layer.running_mean, std=0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return module.eval()


@pytest.fixture(scope='session', autouse=True)
def scope():
    """Parts of a detector are looked for in MMDetection's registries, as under its tools."""
    init_default_scope('mmdet')


@pytest.fixture(scope='session')
def tools():
    """The functions above; test modules cannot import one another."""

    class Tools:
        build_head = staticmethod(build_head)
        build_ssdlite = staticmethod(build_ssdlite)
        count_params = staticmethod(count_params)
        count_madds = staticmethod(count_madds)
        randomise = staticmethod(randomise)

    return Tools
