from pathlib import Path

import pytest
import torch
from torch.nn import functional
from torchvision.models import squeezenet1_1

from mobilenext_det.errors import UsageError
from mobilenext_det.models import Teacher

FACTORY = 'torchvision.models:squeezenet1_1'


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp('teacher') / 'weights.pth'
    torch.save(squeezenet1_1().state_dict(), path)
    return str(path)


def test_scores_are_those_of_the_network_on_images_normalised_its_own_way(weights):
    teacher = Teacher(FACTORY, weights, mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))
    images = torch.rand(2, 3, 64, 64) * 255
    network = squeezenet1_1()
    network.load_state_dict(torch.load(weights, weights_only=True))
    with torch.no_grad():
        expected = network.eval()(
            (images - torch.tensor([1.0, 2, 3]).view(3, 1, 1)) / torch.tensor([4.0, 5, 6]).view(3, 1, 1)
        )
    torch.testing.assert_close(teacher(images), expected)


def test_it_looks_at_images_of_its_own_size(weights):
    images = torch.rand(2, 3, 32, 32) * 255
    enlarged = functional.interpolate(images, (64, 64), mode='bilinear', align_corners=False)
    torch.testing.assert_close(Teacher(FACTORY, weights, size=64)(images), Teacher(FACTORY, weights)(enlarged))


def test_nothing_of_it_is_trained(weights):
    teacher = Teacher(FACTORY, weights).train()
    assert not any(module.training for module in teacher.modules())
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert not teacher(torch.rand(1, 3, 64, 64)).requires_grad


def test_weights_inside_a_package_are_found(weights, tmp_path, monkeypatch):
    package = tmp_path / 'some_teacher_weights'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / 'w.pth').write_bytes(Path(weights).read_bytes())
    monkeypatch.syspath_prepend(str(tmp_path))
    Teacher(FACTORY, 'some_teacher_weights/w.pth')


@pytest.mark.parametrize(
    ('factory', 'file', 'message'),
    [
        (
            'no_such_package:Net',
            'w.pth',
            r'The teacher no_such_package:Net is not there \(.*\): `pip install it` ',
        ),
        (FACTORY, 'nowhere/w.pth', r'The weights of the teacher, nowhere/w\.pth, are not there: `pip install it` '),
    ],
)
def test_what_is_missing_is_named_with_the_command(factory, file, message):
    with pytest.raises(UsageError, match=message):
        Teacher(factory, file, install='pip install it')


def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(UsageError, match=r'weights\.pth does not fit torchvision\.models:squeezenet1_0: '):
        Teacher('torchvision.models:squeezenet1_0', weights)
