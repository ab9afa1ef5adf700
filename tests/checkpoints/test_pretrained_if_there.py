"""Weights that are loaded if they are there, and a start from scratch that says so if not."""

import copy
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModule
from mmengine.registry import init_default_scope

from mobilenext_det.errors import UsageError
from mobilenext_det.models import MobileNeXt, TappedMobileNetV2

CONFIGS = Path(__file__).parents[2] / 'configs'
# Those that start from weights in the repository.
SHIPPED = [
    *(f'compare/bccd_{network}_pretrained.py' for network in ('mobilenext', 'mobilenetv2_expansion')),
    *(
        f'finetune/ssdlite_{network}_voc_{epochs}e.py'
        for network in ('mobilenext', 'mobilenetv2_expansion')
        for epochs in (10, 30)
    ),
    'finetune/ssdlite_mobilenext_w050_voc_30e.py',
    *(f'compare/voc_{network}.py' for network in ('mobilenext', 'mobilenetv2_block', 'mobilenetv2_expansion')),
]
# Those that start from a detector in the repository.
DETECTOR = [
    'finetune/ssdlite_mobilenext_w050_toy.py',
    *(f'own_data/ssdlite_mobilenext_{form}.py' for form in ('own', 'own_stride8')),
]
# Those that start from weights if they are there; all others are from scratch and say nothing of it.
PRETRAINED = {
    **dict.fromkeys(
        (f'ssdlite_mobilenext_{data}.py' for data in ('voc', 'voc_ema', 'voc0712', 'voc0712_4xb24', 'voc0712_modern')),
        'data/pretrained/mobilenext.pth',
    ),
    **dict.fromkeys(
        (f'ssdlite_mobilenetv2_{data}.py' for data in ('voc', 'expansion_voc', 'expansion_voc0712_modern')),
        'data/pretrained/mobilenetv2.pth',
    ),
    'finetune/ssdlite_mobilenetv2_imagenet_voc_30e.py': 'data/pretrained/mobilenetv2_imagenet.pth',
}
NETWORKS = {'MobileNeXt': MobileNeXt, 'MobileNetV2': TappedMobileNetV2}


def initialised(name, seed=0, **arguments):
    network = NETWORKS[name](widen_factor=0.35, **arguments)
    torch.manual_seed(seed)
    network.init_weights()
    return network


def if_there(file):
    return dict(type='PretrainedIfThere', checkpoint=str(file), prefix='backbone.')


def assert_same(left, right):
    assert left.state_dict().keys() == right.state_dict().keys()
    for name, value in left.state_dict().items():
        assert torch.equal(value, right.state_dict()[name]), name


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture
def trained(name):
    """A network whose every weight is its own."""
    network = NETWORKS[name](widen_factor=0.35)
    torch.manual_seed(7)
    for value in network.state_dict().values():
        value.copy_(torch.rand(value.shape) * 9 + 1)
    return network


@pytest.fixture
def file(trained, tmp_path):
    weights = {f'backbone.{key}': value for key, value in trained.state_dict().items()}
    torch.save(dict(state_dict={**weights, 'head.fc.weight': torch.zeros(1)}), tmp_path / 'pretrained.pth')
    return tmp_path / 'pretrained.pth'


@pytest.fixture
def log(caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.mark.parametrize('zero_init_residual', [False, True])
def test_every_weight_is_the_files(name, trained, file, log, zero_init_residual):
    """Those of stem and last layer too, which mmengine initialises after the backbone itself, and every scale."""
    network = initialised(name, init_cfg=if_there(file), zero_init_residual=zero_init_residual)
    assert_same(network, trained)
    assert f'load backbone. in model from: {file}' in log.text
    assert not [record for record in log.records if record.levelname == 'WARNING']


@pytest.mark.parametrize('zero_init_residual', [False, True])
def test_without_the_file_it_starts_as_by_itself_and_says_so(name, tmp_path, log, zero_init_residual):
    network = initialised(name, init_cfg=if_there(tmp_path / 'none.pth'), zero_init_residual=zero_init_residual)
    warnings = [record.getMessage() for record in log.records if record.levelname == 'WARNING']
    assert len(warnings) == 1
    assert warnings[0].startswith(f'There is no {tmp_path}/none.pth: {NETWORKS[name].__name__} trains from scratch')
    assert '57 instead of 67.5 mAP' in warnings[0]
    assert f'`python tools/convert_weights.py SOURCE {tmp_path}/none.pth`' in warnings[0]
    assert_same(network, initialised(name, zero_init_residual=zero_init_residual))


def test_below_a_detector(name, trained, file):
    """As mmengine initialises it, from above."""
    parent = BaseModule()
    parent.backbone = NETWORKS[name](widen_factor=0.35, init_cfg=if_there(file))
    parent.init_weights()
    assert_same(parent.backbone, trained)


def test_a_file_of_another_width_is_refused(name, file):
    network = NETWORKS[name](widen_factor=0.5, init_cfg=if_there(file))
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(UsageError) as error:
        network.init_weights()
    sentence = str(error.value)
    assert sentence.startswith(f'{file} does not fit the {type(network).__name__} of the config: ')
    assert ' weights differ or are missing, such as ' in sentence
    other = file.with_name(f'{file.stem}_converted{file.suffix}')  # not the one that was given
    assert f'`python tools/convert_weights.py SOURCE {other}`' in sentence
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize('content', [[1], {'features.0.0.weight': torch.zeros(1)}])
def test_a_file_that_was_not_converted_is_refused(name, content, tmp_path):
    torch.save(content, tmp_path / 'mnext.pth.tar')
    with pytest.raises(UsageError, match='does not fit .*convert_weights.py'):
        initialised(name, init_cfg=if_there(tmp_path / 'mnext.pth.tar'))


def test_a_damaged_file_is_named(name, tmp_path):
    (tmp_path / 'pretrained.pth').write_bytes(b'')
    with pytest.raises(UsageError, match=r'pretrained\.pth cannot be read as a checkpoint'):
        initialised(name, init_cfg=if_there(tmp_path / 'pretrained.pth'))


@pytest.mark.parametrize(
    'path', [path for path in sorted(CONFIGS.rglob('*.py')) if '_base_' not in path.parts], ids=lambda path: path.stem
)
def test_which_configs_ask_for_which_file(path):
    model = Config.fromfile(path).model
    init_cfg = model.get('backbone', {}).get('init_cfg')  # a supernet has no backbone
    name = str(path.relative_to(CONFIGS))
    assert (name in DETECTOR) == ('PretrainedDetector' in str(model.get('init_cfg')))
    if name in DETECTOR:
        assert init_cfg is None
        assert model.init_cfg.type == 'PretrainedDetector'
        assert Path(model.init_cfg.checkpoint).is_absolute()
        assert Path(model.init_cfg.checkpoint).is_file()
        assert len(model.init_cfg.classes) == model.bbox_head.num_classes
    elif name in SHIPPED:
        assert init_cfg.type in ('Pretrained', 'PretrainedIfThere')
        assert (CONFIGS.parent / init_cfg.checkpoint).is_file()
    else:
        checkpoint = PRETRAINED.get(name)
        assert init_cfg == (checkpoint and if_there(checkpoint))


@pytest.mark.parametrize(('config', 'file'), PRETRAINED.items())
def test_without_its_file_a_config_trains_from_scratch(config, file, log, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmdet')
    model = Config.fromfile(CONFIGS / config).model
    torch.manual_seed(0)
    network = MODELS.build(model.backbone)
    network.init_weights()
    assert log.text.count(f'There is no {file}: {model.backbone.type} trains from scratch') == 1
    # Convolutions are N(0, sqrt(2 / (k * k * out))), not PyTorch's own.
    weight = dict(network.named_parameters())[
        'stages.6.1.reduce.conv.weight' if model.backbone.type == 'MobileNeXt' else 'conv2.conv.weight'
    ]
    assert weight.std().item() == pytest.approx((2 / len(weight)) ** 0.5, rel=0.05)
