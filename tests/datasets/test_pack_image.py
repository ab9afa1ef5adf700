import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from mobilenext_det.datasets import PackImage

CROP = dict(type='RandomResizedCrop', size=8)


def image(seed=0, size=(20, 30)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_packs_rgb_and_the_label():
    packed = PackImage()(dict(img=image(), label=4))
    assert packed.keys() == {'inputs', 'data_samples'}
    assert packed['inputs'].dtype == torch.uint8
    assert np.array_equal(packed['inputs'].permute(1, 2, 0).numpy()[..., ::-1], image())
    assert packed['data_samples'] == 4


def test_does_what_torchvision_does():
    steps = [dict(type='Resize', size=10), dict(type='CenterCrop', size=8)]
    expected = v2.Compose([v2.Resize(10), v2.CenterCrop(8)])
    rgb = torch.from_numpy(image()[..., ::-1].copy()).permute(2, 0, 1)
    assert torch.equal(PackImage(steps)(dict(img=image(), label=0))['inputs'], expected(rgb))


def test_draws_come_from_numpys_seed_alone_and_leave_torchs_generator():
    pack = PackImage([CROP, dict(type='RandomHorizontalFlip'), dict(type='ColorJitter', brightness=0.4)])
    images = []
    for torch_seed, seed in ((1, 5), (2, 5), (2, 6)):
        torch.manual_seed(torch_seed)
        before = torch.random.get_rng_state()
        np.random.seed(seed)
        images.append(pack(dict(img=image(), label=0))['inputs'])
        assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(images[0], images[1])
    assert not torch.equal(images[1], images[2])


def test_the_configuration_is_not_changed():
    step = dict(CROP)
    PackImage([step])
    assert step == CROP


def test_an_unknown_transform_is_named():
    with pytest.raises(ValueError, match=r'torchvision\.transforms\.v2 has no RandomMagic\.'):
        PackImage([CROP, dict(type='RandomMagic')])
