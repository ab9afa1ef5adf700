import os
import pickle
import shutil
import tarfile

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from torch.serialization import get_unsafe_globals_in_checkpoint

from mobilenext_det.checkpoints import load_from_local
from mobilenext_det.errors import CheckpointError


@pytest.fixture
def stock_checkpoint(tiny_runner, tmp_path):
    """What mmengine's own hook writes, objects and all."""
    stock = dict(type='CheckpointHook', by_epoch=False, interval=4, save_best='score', rule='less')
    runner = tiny_runner(**{'default_hooks.checkpoint': dict(_delete_=True, **stock)})
    runner.train()
    return tmp_path / 'iter_8.pth', runner


def test_a_checkpoint_of_mmengine_is_read_in_full(stock_checkpoint):
    path, runner = stock_checkpoint
    assert 'getattr' in ''.join(get_unsafe_globals_in_checkpoint(path))
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    loaded = CheckpointLoader.load_checkpoint(str(path), 'cpu')
    for name, value in runner.model.state_dict().items():
        assert torch.equal(loaded['state_dict'][name], value)
    hub = loaded['message_hub']
    assert type(hub['runtime_info']['best_score']) is np.float64
    assert hub['runtime_info']['best_score'] == runner.message_hub.get_info('best_score')
    np.testing.assert_array_equal(loaded['meta']['dataset_meta']['palette'], np.eye(3))
    for name, history in hub['log_scalars'].items():
        assert isinstance(history, HistoryBuffer)
        for part, original in zip(history.data, runner.message_hub.get_scalar(name).data, strict=True):
            np.testing.assert_array_equal(part, original)
        assert history.statistics('max', 2) == history.max(2)


def test_a_run_of_mmengine_can_be_resumed(stock_checkpoint, tiny_runner, tmp_path):
    path, runner = stock_checkpoint
    resumed = tiny_runner(tmp_path / 'resumed', resume=True, load_from=str(path), **{'train_cfg.max_iters': 10})
    resumed.train()
    losses = [each.message_hub.get_scalar('train/loss').data[0] for each in (runner, resumed)]
    assert len(losses[1]) == 10
    np.testing.assert_array_equal(losses[1][:8], losses[0])


@pytest.mark.parametrize('dtype', [np.float16, np.float32, np.int32, np.uint8, np.bool_, '<U3'])
def test_numpy_arrays_and_scalars_are_read(dtype, tmp_path):
    array = np.array([0, 1, 2]).astype(dtype)
    torch.save(dict(array=array, scalar=array[1]), tmp_path / 'numpy.pth')
    loaded = load_from_local(str(tmp_path / 'numpy.pth'))
    np.testing.assert_array_equal(loaded['array'], array)
    assert loaded['array'].dtype == array.dtype
    assert loaded['scalar'] == array[1]


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    'make, name',
    [
        (lambda trace: Runs(os.system, f'touch {trace}'), 'posix.system'),
        (lambda trace: Runs(shutil.copyfile, __file__, trace), 'shutil.copyfile'),
        (lambda trace: Runs(eval, f'open({trace!r}, "w")'), 'eval'),
        (lambda trace: Runs(getattr, Runs(shutil.copyfile, __file__, trace), 'strip'), 'shutil.copyfile'),
    ],
)
@pytest.mark.parametrize('zipped', [True, False])
def test_code_in_a_checkpoint_is_refused_by_name_and_does_not_run(make, name, zipped, tmp_path):
    path, trace = tmp_path / 'bad.pth', tmp_path / 'trace'
    torch.save(dict(x=make(str(trace))), path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match=rf'bad.pth needs {name}, and could run code'):
        load_from_local(str(path))
    assert not trace.exists()


def test_getattr_is_never_called(tmp_path):
    path = tmp_path / 'getattr.pth'
    torch.save(dict(x=Runs(getattr, 'text', 'upper')), path)
    assert load_from_local(str(path)) == dict(x=None)


def test_object_arrays_hold_nothing_that_runs(tmp_path):
    path, trace = tmp_path / 'objects.pth', tmp_path / 'trace'
    torch.save(np.array([Runs(os.system, f'touch {trace}')], dtype=object), path)
    with pytest.raises(CheckpointError):
        load_from_local(str(path))
    assert not trace.exists()


def test_other_files_are_read_as_torch_reads_them(tmp_path):
    path = tmp_path / 'weights.pth'
    state = torch.nn.BatchNorm2d(3).state_dict()
    torch.save(state, path)
    loaded = load_from_local(str(path), 'meta')
    assert loaded['weight'].device.type == 'meta'
    assert load_from_local(str(path))._metadata == state._metadata


@pytest.mark.parametrize('keep', [0, 100, 0.5, 0.99])
def test_a_damaged_file_is_named(keep, tmp_path):
    path = tmp_path / 'half.pth'
    torch.save(dict(x=torch.zeros(1000)), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(CheckpointError, match=r'half.pth cannot be read as a checkpoint \('):
        load_from_local(str(path))


def test_one_flipped_bit_is_named(tmp_path):
    """Torch reads it as another weight."""
    path = tmp_path / 'flipped.pth'
    torch.save(dict(weight=torch.full((1000,), 0.5)), path)
    content = bytearray(path.read_bytes())
    content[content.index(b'\0\0\0?' * 100) + 403] ^= 0x80
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)['weight'].min() == -0.5
    with pytest.raises(CheckpointError, match=r'flipped.pth cannot be read .*data/0 in it was altered since'):
        load_from_local(str(path))


def test_torchscript_and_tar_files_are_refused(tmp_path):
    """Releases of torch before 2.6 leave them to readers that run code."""
    torch.jit.save(torch.jit.script(torch.nn.Identity()), tmp_path / 'script.pth')
    with tarfile.open(tmp_path / 'tar.pth', 'w') as tar:
        tar.add(tmp_path / 'script.pth')
    for name in ('script', 'tar'):
        with pytest.raises(CheckpointError, match=f'{name}.pth cannot be read as a checkpoint'):
            load_from_local(str(tmp_path / f'{name}.pth'))


def test_a_web_page_instead_of_a_checkpoint_is_named(tmp_path):
    path = tmp_path / 'page.pth'
    path.write_text('<!DOCTYPE html><html>Not found</html>')
    with pytest.raises(CheckpointError, match=r'page.pth cannot be read as a checkpoint \('):
        load_from_local(str(path))


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match='There is no checkpoint nowhere.pth'):
        load_from_local('nowhere.pth')


def test_mmengine_reads_local_files_with_it():
    assert CheckpointLoader._get_checkpoint_loader('work_dirs/iter_1.pth') is load_from_local
    assert CheckpointLoader._get_checkpoint_loader('https://host/iter_1.pth') is not load_from_local
