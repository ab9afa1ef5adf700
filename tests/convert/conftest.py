"""Other people's networks with random weights, built from what is known of their layouts, and their files."""

import pickle
import runpy
from pathlib import Path

import pytest
import torch
from mmcv.cnn import ConvModule
from mmengine.registry import init_default_scope
from torch import nn
from torchvision.models import mobilenet_v2
from torchvision.models.mobilenetv2 import InvertedResidual

# The second build of the article's network, which the backbone is tested against.
BUILD = runpy.run_path(str(Path(__file__).parents[1] / 'models' / 'test_mobilenext.py'))
RELEASED, SCRAMBLE = BUILD['ReleasedNetwork'], BUILD['scramble']


def classifier(network, channels, classes):
    """Dropout and a linear layer, as the authors and torchvision have them."""
    network.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(channels, classes))
    return SCRAMBLE(network)


class Authors:
    """The MobileNeXt authors' classifier."""

    kind = 'mobilenext-official'

    def __init__(self, width=1.0, classes=7):
        self.network = classifier(RELEASED(width), 1792 if width == 1.4 else 1280, classes)

    def outputs(self, x):
        """C4 and C5 as SSDLite taps them, and the classes' scores."""
        taps = self.network(x)
        return taps[5, 'expansion'], taps[7, 'expansion'], self.network.classifier(taps[7, 'block'].mean((2, 3)))


class Torchvision:
    """torchvision's own MobileNetV2; C4 is the expansion's."""

    kind = 'torchvision'

    def __init__(self, width=1.0, classes=7):
        self.network = SCRAMBLE(mobilenet_v2(width_mult=width, num_classes=classes))

    def outputs(self, x):
        features = self.network.features
        return features[14].conv[0](features[:14](x)), features(x), self.network(x)


class NumberedBlock(nn.Module):
    """mmpretrain's inverted residual: `conv` holds two or three ConvModules."""

    def __init__(self, cin, cout, stride, ratio):
        super().__init__()
        hidden, act = cin * ratio, dict(act_cfg=dict(type='ReLU6'), norm_cfg=dict(type='BN'))
        layers = [ConvModule(cin, hidden, 1, **act)] if ratio != 1 else []
        layers.append(ConvModule(hidden, hidden, 3, stride=stride, padding=1, groups=hidden, **act))
        layers.append(ConvModule(hidden, cout, 1, act_cfg=None, norm_cfg=dict(type='BN')))
        self.conv = nn.Sequential(*layers)
        self.shortcut = stride == 1 and cin == cout

    def forward(self, x):
        return self.conv(x) + x if self.shortcut else self.conv(x)


class MMPretrain:
    """mmpretrain's MobileNetV2: backbone.conv1, layer1 to layer7, conv2, and head.fc."""

    kind = 'mmpretrain'

    def __init__(self, width=1.0, classes=7):
        act = dict(act_cfg=dict(type='ReLU6'), norm_cfg=dict(type='BN'))
        table = [
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]
        cin = BUILD['divisible'](32 * width, 8)
        backbone = nn.ModuleDict(dict(conv1=ConvModule(3, cin, 3, stride=2, padding=1, **act)))
        for number, (ratio, channels, depth, stride) in enumerate(table, 1):
            cout = BUILD['divisible'](channels * width, 8)
            blocks = [
                NumberedBlock(cin if i == 0 else cout, cout, stride if i == 0 else 1, ratio) for i in range(depth)
            ]
            backbone[f'layer{number}'] = nn.Sequential(*blocks)
            cin = cout
        backbone['conv2'] = ConvModule(cin, 1280, 1, **act)
        head = nn.ModuleDict(dict(fc=nn.Linear(1280, classes)))
        self.network = SCRAMBLE(nn.ModuleDict(dict(backbone=backbone, head=head)))

    def outputs(self, x):
        backbone = self.network.backbone
        for name in ('conv1', *(f'layer{i}' for i in range(1, 6))):
            x = backbone[name](x)
        c4 = backbone.layer6[0].conv[0](x)
        c5 = backbone.conv2(backbone.layer7(backbone.layer6(x)))
        return c4, c5, self.network.head.fc(c5.mean((2, 3)))


class Separable(nn.Module):
    def __init__(self, channels, outputs):
        super().__init__()
        depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.conv = nn.Sequential(depthwise, nn.BatchNorm2d(channels), nn.ReLU6(), nn.Conv2d(channels, outputs, 1))

    def forward(self, x):
        return self.conv(x)


def extra(cin, hidden, cout):
    layers = [nn.Conv2d(cin, cin, 3, 2, 1, groups=cin, bias=False), nn.BatchNorm2d(cin), nn.ReLU6()]
    layers += [nn.Conv2d(cin, hidden, 1, bias=False), nn.BatchNorm2d(hidden)]
    return nn.Sequential(*layers, nn.Conv2d(hidden, cout, 1, bias=False), nn.BatchNorm2d(cout), nn.ReLU6())


class Detector:
    """The authors' SSDLite around either backbone, background first among the classes."""

    kind = 'mobilenext-ssdlite-official'

    def __init__(self, network='MobileNeXt', classes=20):
        if network == 'MobileNeXt':
            channels, features = (576, 1280, 512, 256, 256, 128), RELEASED().features
            extras = [extra(1280, 256, 512), extra(512, 128, 256), extra(256, 128, 256), extra(256, 128, 128)]
        else:
            channels, features = (96, 1280, 512, 256, 256, 64), mobilenet_v2().features
            widths = [(1280, 512, 0.2), (512, 256, 0.5), (256, 256, 0.5), (256, 64, 0.5)]
            extras = [InvertedResidual(cin, cout, 2, ratio) for cin, cout, ratio in widths]
        self.is_mobilenext, self.classes = network == 'MobileNeXt', classes
        backbone = nn.ModuleDict(dict(features=features, extras=nn.ModuleList(extras)))
        self.branches = {
            branch: nn.ModuleList(
                nn.Conv2d(c, 6 * outputs, 1) if c == channels[-1] else Separable(c, 6 * outputs) for c in channels
            )
            for branch, outputs in (('cls_headers', classes + 1), ('reg_headers', 4))
        }
        box_head = nn.ModuleDict(dict(predictor=nn.ModuleDict(self.branches)))
        self.network = SCRAMBLE(nn.ModuleDict(dict(backbone=backbone, box_head=box_head)))

    def outputs(self, x):
        """Scores (N, priors, 1 + classes) and deltas (N, priors, 4)."""
        features = self.network.backbone.features
        x = features[: 13 if self.is_mobilenext else 14](x)
        if self.is_mobilenext:
            c4 = features[13].conv[:5](x)
            before = features[14:20](features[13].conv[5:](c4))
            c5 = features[20].conv[:8](before)
            x = features[20].conv[8:](c5)
        else:
            c4, x = x, features[14:](x)
            c5 = x
        levels = [c4, c5]
        for layer in self.network.backbone.extras:
            levels.append(x := layer(x))
        flat = []
        for branch, outputs in (('cls_headers', self.classes + 1), ('reg_headers', 4)):
            maps = [predict(level) for predict, level in zip(self.branches[branch], levels, strict=True)]
            flat.append(torch.cat([m.permute(0, 2, 3, 1).reshape(len(m), -1, outputs) for m in maps], 1))
        return flat


def paddle_state(network):
    """A network's weights with Paddle's names and layout; no counters of batches there."""
    arrays = {}
    for key, value in network.state_dict().items():
        if not key.endswith('num_batches_tracked'):
            name = key.replace('running_mean', '_mean').replace('running_var', '_variance')
            arrays[name] = (value.T if value.ndim == 2 else value).numpy().copy()
    return {**arrays, 'StructuredToParameterName@@': {name: f'parameter_{name}' for name in arrays}}


def save_paddle(network, path, protocol=4):
    path.write_bytes(pickle.dumps(paddle_state(network), protocol=protocol))
    return path


@pytest.fixture(scope='session', autouse=True)
def scope():
    """Parts of a detector are looked for in MMDetection's registries, as under its tools."""
    init_default_scope('mmdet')


@pytest.fixture(scope='session')
def builds():
    """The classes and functions above; test modules cannot import one another."""

    class Builds:
        classifiers = {each.kind: each for each in (Authors, Torchvision, MMPretrain)}
        authors, torchvision, mmpretrain, detector = Authors, Torchvision, MMPretrain, Detector
        save_paddle = staticmethod(save_paddle)

    return Builds
