from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from torchvision.models import squeezenet1_1

from mobilenext_det.models import DistilledClassifier, DistilledClassifiers

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


def test_students_side_by_side_learn_what_each_learns_alone(teacher):
    alone = build(teacher, dropout=0.0)
    other = dict(backbone=dict(STUDENT, widen_factor=0.5))
    group = DistilledClassifiers(
        dict(first=dict(backbone=STUDENT, dropout=0.0), second=other), teacher=teacher, data_preprocessor=PREPROCESSOR
    )
    group.students['first'].load_state_dict(alone.state_dict())
    assert {name.split('.')[0] for name in group.state_dict()} == {'students'}
    batch = alone.data_preprocessor(dict(inputs=torch.rand(4, 3, 64, 64) * 255, data_samples=torch.zeros(4)))
    expected = alone(**batch, mode='loss')
    found = group(**batch, mode='loss')
    assert found.keys() == {f'{name}.{key}' for name in ('first', 'second') for key in ('loss', 'agreement')}
    for key, value in expected.items():
        torch.testing.assert_close(found[f'first.{key}'], value)
    expected['loss'].backward()
    group.parse_losses(found)[0].backward()
    for ours, theirs in zip(group.students['first'].parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    assert group(**batch)['second'].shape == (4, 1000)


def test_a_group_has_a_student(teacher):
    with pytest.raises(ValueError, match='students names no network'):
        DistilledClassifiers({}, teacher=teacher)


def test_four_students_are_both_networks_at_both_widths():
    config = Config.fromfile(CONFIGS / 'four_students.py')
    model = MODELS.build(config.model)
    for name in model.students:
        single = MODELS.build(Config.fromfile(CONFIGS / f'{name}_distilled.py').model)
        assert {key: value.shape for key, value in model.students[name].state_dict().items()} == {
            key: value.shape for key, value in single.state_dict().items()
        }


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*_distilled.py')), ids=lambda path: path.stem)
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
