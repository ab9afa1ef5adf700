import inspect
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.config import Config

from mobilenext_det.models import ImageClassifier

CONFIGS = Path(__file__).parents[2] / 'configs' / 'pretrain'
FILES = sorted(path.name for path in CONFIGS.glob('*.py'))
SMALL = dict(type='MobileNeXt', widen_factor=0.35, out_indices=(7,), total_stride=8)
# Width: parameters and multiply-adds with a linear layer of 1000 classes, of the facts that all is built against.
COUNTS = {
    'MobileNeXt': {
        0.35: (1913976, 75141032),
        0.5: (2152304, 103256448),
        0.75: (2766168, 207926720),
        1.0: (3535416, 311342592),
        1.4: (6126168, 588319256),
    },
    'TappedMobileNetV2': {
        0.35: (1677128, 59285808),
        0.5: (1968680, 97131840),
        0.75: (2636424, 209069792),
        1.0: (3504872, 300774272),
        1.4: (6108776, 582195824),
    },
}


def build(**kwargs):
    torch.manual_seed(0)
    model = ImageClassifier(SMALL, **dict(dict(num_classes=7), **kwargs))
    model.init_weights()
    return model


@pytest.mark.parametrize(
    ('network', 'width'), [(network, width) for network, widths in COUNTS.items() for width in widths]
)
def test_published_counts(network, width, tools):
    backbone = dict(type=network, widen_factor=width, **(dict(out_indices=(7,)) if network == 'MobileNeXt' else {}))
    with torch.device('meta'):
        model = ImageClassifier(backbone)
    params, madds = COUNTS[network][width]
    assert tools.count_params(model) == params
    fc = model.head.fc.weight.numel()
    assert tools.count_madds(model.backbone, 224) + fc == madds


def test_scores_are_the_linear_layer_of_pooled_features():
    model = build().eval()
    images = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        scores, predicted = model(images), model(images, mode='predict')
        pooled = model.backbone(images)[-1].mean((2, 3))
    expected = pooled @ model.head.fc.weight.T + model.head.fc.bias
    torch.testing.assert_close(scores, expected)
    assert torch.equal(torch.stack(predicted), scores)


def test_the_loss_is_cross_entropy_with_smoothed_labels():
    model = build(label_smoothing=0.1, dropout=0.0).eval()
    images, labels = torch.rand(4, 3, 32, 32), torch.tensor([0, 6, 2, 2])
    loss = model(images, labels, mode='loss')['loss']
    target = F.one_hot(labels, 7) * 0.9 + 0.1 / 7
    expected = -(target * model(images).log_softmax(1)).sum(1).mean()
    torch.testing.assert_close(loss, expected)


def test_dropout_acts_in_training_alone():
    model = build(dropout=0.5)
    model.backbone.eval()
    images = torch.rand(2, 3, 32, 32)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_gradients_reach_every_layer():
    model = build()
    # At the start the linear layer's zero-mean weights pass gradients on, and nothing is frozen.
    model(torch.rand(4, 3, 32, 32), torch.tensor([0, 1, 2, 3]), mode='loss')['loss'].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_scores_are_float32_under_autocast():
    with torch.autocast('cpu', torch.bfloat16):
        assert build()(torch.rand(2, 3, 32, 32)).dtype == torch.float32


def test_the_linear_layer_starts_small():
    fc = build(num_classes=1000).head.fc
    assert fc.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not fc.bias.any()


def test_a_detector_takes_its_checkpoint_as_it_is(tmp_path):
    classifier = build()
    for parameter in classifier.parameters():
        torch.nn.init.normal_(parameter)
    torch.save(dict(state_dict=classifier.state_dict()), tmp_path / 'classifier.pth')
    pretrained = dict(type='Pretrained', checkpoint=str(tmp_path / 'classifier.pth'), prefix='backbone.')
    backbone = MODELS.build(
        dict(
            type='MobileNeXt',
            widen_factor=0.35,
            out_indices=(5, 7, 7),
            taps=('expansion', 'expansion', 'block'),
            init_cfg=pretrained,
        )
    )
    backbone.init_weights()
    ours, theirs = backbone.state_dict(), classifier.backbone.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(num_classes=0), 'num_classes must be 1 or more, but is 0.'),
        (dict(dropout=1.0), r'dropout must lie in \[0, 1\), but is 1.0.'),
        (dict(label_smoothing=-0.1), r'label_smoothing must lie in \[0, 1\), but is -0.1.'),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)


def test_the_example():
    example = inspect.getdoc(ImageClassifier).partition('Examples:')[2]
    assert '(2, 10)' in example
    backbone = dict(type='MobileNeXt', out_indices=(7,), total_stride=8)
    assert tuple(ImageClassifier(backbone, num_classes=10)(torch.rand(2, 3, 32, 32)).shape) == (2, 10)


@pytest.mark.parametrize('name', FILES)
def test_the_configs_classify(name):
    config = Config.fromfile(CONFIGS / name)
    model = MODELS.build(config.model).eval()
    size = 64 if 'tiny' in name else 32 if 'cifar' in name else 224
    images = torch.randint(0, 256, (1, 3, size, size), dtype=torch.uint8)
    with torch.no_grad():
        (scores,) = model.test_step(dict(inputs=images, data_samples=torch.tensor([0])))
    assert tuple(scores.shape) == (200 if 'tiny' in name else 10 if 'cifar' in name else 1000,)
    assert torch.isfinite(scores).all()


def schedule(config):
    """How the learning rate goes: length, rate at its height, warm-up; the cosine goes on from there to the end."""
    *warmups, cosine = config.param_scheduler
    assert cosine.type == 'CosineAnnealingLR'
    assert not {'end', 'T_max'} & cosine.keys()
    assert cosine.get('begin', 0) == sum(warmup.end for warmup in warmups)
    return config.train_cfg.max_iters, config.optim_wrapper.optimizer.lr, cosine.get('begin', 0)


def test_the_two_recipes_are_those_of_the_article_and_of_the_released_run():
    paper, released = (Config.fromfile(CONFIGS / f'mobilenext_imagenet{name}.py') for name in ('', '_released'))
    assert schedule(paper) == (200 * 5004, 0.05, 0)
    assert schedule(released) == (200 * 5004, 0.1, 3 * 5004)
    for config, decay, smoothing in ((paper, 4e-5, None), (released, 1e-4, 0.1)):
        optimizer = config.optim_wrapper.optimizer
        assert (optimizer.type, optimizer.momentum, optimizer.weight_decay) == ('SGD', 0.9, decay)
        assert config.train_dataloader.batch_size == config.auto_scale_lr.base_batch_size == 256
        assert config.model.get('label_smoothing') == smoothing
    jitter = released.train_pipeline[-1].transforms[-1]
    assert dict(jitter) == dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4)


@pytest.mark.parametrize('name', [name for name in FILES if name.startswith('mobilenetv2')])
def test_the_baseline_differs_in_the_backbone_alone(name):
    theirs = Config.fromfile(CONFIGS / name).to_dict()
    ours = Config.fromfile(CONFIGS / name.replace('mobilenetv2', 'mobilenext')).to_dict()
    theirs.pop('mobilenetv2')  # the base's own variable, from which the backbone comes
    backbones = [config['model'].pop('backbone') for config in (theirs, ours)]
    assert theirs == ours
    for setting in ('widen_factor', 'total_stride', 'zero_init_residual', 'conv_cfg'):
        assert backbones[0].get(setting) == backbones[1].get(setting)


@pytest.mark.parametrize('name', FILES)
def test_every_epoch_is_judged_and_kept(name):
    config = Config.fromfile(CONFIGS / name)
    length, _, warmup = schedule(config)
    assert warmup < length
    assert length % config.train_cfg.val_interval == 0
    assert config.default_hooks.checkpoint.interval == config.train_cfg.val_interval
