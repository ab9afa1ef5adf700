from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from torchvision.models import squeezenet1_1

from mobilenext_det.models import DistilledClassifier

CONFIGS = Path(__file__).parents[2] / 'configs' / 'distill'
STUDENT = dict(type='MobileNeXt', widen_factor=0.35, out_indices=(7,))
PREPROCESSOR = dict(type='ImgDataPreprocessor', mean=[123, 117, 104], std=[58.395, 57.12, 57.375])


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    path = tmp_path_factory.mktemp('teacher') / 'weights.pth'
    torch.manual_seed(0)
    network = squeezenet1_1()
    with torch.no_grad():
        network.classifier[1].weight *= 30  # so that it has something to say
    torch.save(network.state_dict(), path)
    return dict(type='Teacher', factory='torchvision.models:squeezenet1_1', weights=str(path))


def build(teacher, **kwargs):
    torch.manual_seed(1)
    return DistilledClassifier(teacher, backbone=STUDENT, data_preprocessor=PREPROCESSOR, **kwargs)


def test_the_loss_is_the_divergence_from_the_teacher_on_the_same_images(teacher):
    model = build(teacher, temperature=2.0).eval()
    images = torch.randint(0, 256, (3, 3, 64, 64)).float()
    batch = model.data_preprocessor(dict(inputs=images, data_samples=torch.full((3,), -1)))
    losses = model(**batch, mode='loss')
    with torch.no_grad():
        wanted = MODELS.build(teacher)(images).double() / 2
        scores = model(batch['inputs']).double() / 2
    p, q = wanted.softmax(1), scores.softmax(1)
    expected = (p * (p.log() - q.log())).sum(1).mean() * 4
    assert losses['loss'].item() == pytest.approx(expected.item(), rel=1e-3)
    assert losses['agreement'].item() == pytest.approx((wanted.argmax(1) == scores.argmax(1)).double().mean().item())


def test_the_student_alone_is_trained_and_saved(teacher):
    model = build(teacher)
    assert not any(parameter.requires_grad for parameter in model.teacher.parameters())
    assert {name.split('.')[0] for name in model.state_dict()} == {'backbone', 'head'}
    assert {name.split('.')[0] for name, _ in model.named_parameters()} == {'backbone', 'head'}


def test_learning_brings_it_closer_to_the_teacher(teacher):
    model = build(teacher, dropout=0.0)
    batch = model.data_preprocessor(dict(inputs=torch.rand(8, 3, 64, 64) * 255, data_samples=torch.zeros(8)))
    optimizer = torch.optim.AdamW(model.parameters(), 0.003)
    losses = []
    for _ in range(16):
        losses.append(model(**batch, mode='loss')['loss'])
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]


def test_a_temperature_is_positive(teacher):
    with pytest.raises(ValueError, match=r'temperature must be more than 0, but is 0\.'):
        build(teacher, temperature=0)


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.py')), ids=lambda path: path.stem)
def test_the_configs_differ_in_the_student_alone(path):
    ours, first = (Config.fromfile(file).to_dict() for file in (path, CONFIGS / 'mobilenext_distilled.py'))
    assert MODELS.build(ours['model']).num_classes == 1000  # without a teacher, which training alone needs
    ours['model'].pop('backbone')
    ours.pop('mobilenetv2', None)  # the variable that the baseline's backbone comes from
    first['model'].pop('backbone')
    assert ours == first
    assert ours['model']['type'] == 'DistilledClassifier'


def test_no_image_of_a_test_set_is_among_the_sources():
    config = Config.fromfile(CONFIGS / 'mobilenext_distilled.py')
    voc, tiny = config.train_dataloader.dataset.datasets
    assert voc.ann_file == 'VOC2007/ImageSets/Main/trainval.txt'
    assert tiny.data_prefix.img_path == 'train'
