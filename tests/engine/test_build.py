import numpy as np
import pytest
import torch

from mobilenext_det.engine.build import build_runner
from mobilenext_det.errors import BadDataError, UsageError
from tests.fixtures.tiny_network import tiny_config


@pytest.mark.parametrize(
    ('settings', 'said'),
    [
        ({'train_dataloader.dataset.pipelin': []}, r"train_dataloader cannot be built .*TypeError at .*'pipelin'"),
        ({'train_dataloader.dataset.type': 'NoSet'}, r'train_dataloader cannot be built .*KeyError at .*NoSet'),
        ({'val_dataloader.dataset.pipeline': [dict(scale=0)]}, r'val_dataloader cannot be built .*KeyError.*type'),
        ({'val_dataloader.dataset.pipeline': [dict(type='TinyNoise', scale='x')]}, r'TinyNoise cannot be done with'),
        ({'train_dataloader.sampler': 3}, r'train_dataloader cannot be built'),
        ({'model.classes': 'x'}, r'it cannot be built as it is set \(TypeError'),
        ({'train_dataloader.batch_size': 10**18}, r'batch_size is 10{18}, but must be a number up to 65536'),
        ({'val_dataloader.num_workers': -1}, r'val_dataloader.num_workers is -1, but must be a number up to 1024'),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_named(tmp_path, settings, said):
    with pytest.raises(UsageError, match=said) as caught:
        build_runner(tiny_config(tmp_path, **settings), 'train', 'val')
    assert '\n' not in str(caught.value)


def test_a_sentence_of_a_part_is_passed_on(tmp_path, monkeypatch):
    def refuse(self):
        raise BadDataError('list.txt is empty.')

    monkeypatch.setattr('tests.fixtures.tiny_network.TinyDataset.load_data_list', refuse)
    with pytest.raises(BadDataError, match=r'^list.txt is empty\.$'):
        build_runner(tiny_config(tmp_path), 'train')


def test_preparing_a_picture_changes_no_random_number(tmp_path):
    runner = build_runner(tiny_config(tmp_path), 'train')
    drawn = np.random.rand(), torch.rand(1)
    plain = type(runner).from_cfg(tiny_config(tmp_path))
    plain.train_loop  # noqa: B018
    assert (np.random.rand(), torch.rand(1)) == drawn
