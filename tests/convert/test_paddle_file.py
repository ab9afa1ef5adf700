"""Paddle's files without Paddle: arrays, and nothing that runs."""

import os
import pickle
import shutil

import numpy as np
import pytest
import torch

from mobilenext_det.convert.paddle_file import load_paddle, to_torch
from mobilenext_det.convert.reading import read_source
from mobilenext_det.errors import CheckpointError


def write(tmp_path, content, protocol=4):
    (tmp_path / 'weights.pdparams').write_bytes(pickle.dumps(content, protocol=protocol))
    return str(tmp_path / 'weights.pdparams')


@pytest.mark.parametrize('protocol', [2, 3, 4])
@pytest.mark.parametrize('array', [np.arange(6, dtype=np.float32).reshape(2, 3), np.float16([1.5])])
def test_arrays(array, protocol, tmp_path):
    loaded = load_paddle(write(tmp_path, {'a': array}, protocol))
    np.testing.assert_array_equal(loaded['a'], array)
    assert loaded['a'].dtype == array.dtype


def test_names_and_layout():
    arrays = {
        'bn.weight': np.ones(2, np.float32),
        'bn._mean': np.zeros(2, np.float32),
        'bn._variance': np.ones(2, np.float32),
        'fc.weight': np.arange(6, dtype=np.float32).reshape(3, 2),
        'conv.weight': np.zeros((4, 1, 3, 3), np.float32),
    }
    weights = to_torch(arrays)
    assert list(weights) == ['bn.weight', 'bn.running_mean', 'bn.running_var', 'fc.weight', 'conv.weight']
    assert weights['fc.weight'].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert weights['fc.weight'].is_contiguous()
    assert weights['conv.weight'].shape == (4, 1, 3, 3)


def test_the_table_of_names_is_dropped(tmp_path):
    content = {'a.weight': np.zeros(1, np.float32), 'StructuredToParameterName@@': {'a.weight': 'parameter_0'}}
    source = read_source(write(tmp_path, content), paddle=True)
    assert source.weights.keys() == {'a.weight'}
    assert source.dropped == {'StructuredToParameterName@@': 'no tensor but of type dict'}


class Runs:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('protocol', [2, 4])
@pytest.mark.parametrize(
    ('make', 'name'),
    [
        (lambda trace: Runs(os.system, f'touch {trace}'), 'posix.system'),
        (lambda trace: Runs(eval, f'open({trace!r}, "w")'), '(builtins|__builtin__).eval'),
        (lambda trace: Runs(shutil.copyfile, __file__, trace), 'shutil.copyfile'),
        (lambda trace: Runs(getattr, '', 'upper'), '(builtins|__builtin__).getattr'),
        (lambda trace: np.array([Runs(os.system, f'touch {trace}')], dtype=object), 'posix.system'),
        (lambda trace: torch.nn.Linear(1, 1), r'torch\.nn\.modules\.linear\.Linear'),
    ],
)
def test_code_is_refused_by_name_and_does_not_run(make, name, protocol, tmp_path):
    trace = tmp_path / 'trace'
    path = write(tmp_path, {'a': make(str(trace))}, protocol)
    with pytest.raises(CheckpointError, match=rf'weights\.pdparams needs {name}, and could run code with it'):
        load_paddle(path)
    assert not trace.exists()


def test_an_array_of_objects_is_no_weight(tmp_path):
    source = read_source(write(tmp_path, {'a': np.zeros(1), 'b': np.array([{}], dtype=object)}), paddle=True)
    assert source.weights.keys() == {'a'}
    assert source.dropped == {'b': 'no tensor but of type ndarray'}


@pytest.mark.parametrize('keep', [0, 10, 0.5, 0.99])
def test_a_damaged_file(keep, tmp_path):
    path = write(tmp_path, {'a': np.zeros(1000)})
    content = (tmp_path / 'weights.pdparams').read_bytes()
    (tmp_path / 'weights.pdparams').write_bytes(content[: int(keep if keep >= 1 else keep * len(content))])
    with pytest.raises(CheckpointError, match=r'weights\.pdparams cannot be read as a file of Paddle \('):
        load_paddle(path)
