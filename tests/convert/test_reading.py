"""Files as they lie about: wrapped, prefixed, with other things in them, damaged, or dangerous."""

import os

import pytest
import torch

from mobilenext_det.convert.reading import read_source
from mobilenext_det.errors import UsageError

STATE = {'conv.weight': torch.rand(2, 3), 'conv.bias': torch.rand(2)}


def read(path, content, **options):
    torch.save(content, path)
    return read_source(str(path), **options)


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('wrapper', [None, 'state_dict', 'model'])
def test_wrappers_and_prefixes(wrapper, prefix, tmp_path):
    state = {prefix + key: value for key, value in STATE.items()}
    source = read(tmp_path / 'weights.pth', {wrapper: state, 'epoch': 3} if wrapper else state)
    assert source.weights.keys() == STATE.keys()
    assert all(torch.equal(source.weights[key], value) for key, value in STATE.items())
    assert source.dropped == ({'epoch': f'not in the file\'s "{wrapper}"'} if wrapper else {})
    assert len(source.sha256) == 64


def test_a_prefix_that_only_some_have_is_part_of_the_name(tmp_path):
    state = {'module.conv.weight': STATE['conv.weight'], 'conv.bias': STATE['conv.bias']}
    assert read(tmp_path / 'weights.pth', state).weights.keys() == state.keys()


def test_what_is_no_tensor_is_dropped_by_name(tmp_path):
    source = read(tmp_path / 'weights.pth', {**STATE, 'epoch': 3, 'arch': 'mobilenext'})
    assert source.dropped == {'epoch': 'no tensor but of type int', 'arch': 'no tensor but of type str'}


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        ([torch.zeros(1)], 'holds a list, not weights by name'),
        ({'epoch': 3}, "holds no weights, neither at its top nor in 'state_dict' or 'model'"),
        ({}, 'holds no weights'),
        ({'state_dict': {}}, 'holds no weights'),
    ],
)
def test_files_without_weights(content, reason, tmp_path):
    with pytest.raises(UsageError, match=rf'weights\.pth {reason}'):
        read(tmp_path / 'weights.pth', content)


class Runs:
    def __reduce__(self):
        return os.system, ('touch ran',)


def test_code_is_refused_and_does_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r'weights\.pth needs posix\.system, and could run code'):
        read(tmp_path / 'weights.pth', {'state_dict': STATE, 'args': Runs()})
    assert not (tmp_path / 'ran').exists()


def test_a_missing_and_a_damaged_file(tmp_path):
    with pytest.raises(UsageError, match=r'There is no file .*none\.pth\.$'):
        read_source(str(tmp_path / 'none.pth'))
    torch.save(STATE, tmp_path / 'weights.pth')
    (tmp_path / 'weights.pth').write_bytes((tmp_path / 'weights.pth').read_bytes()[:500])
    with pytest.raises(UsageError, match=r'weights\.pth cannot be read as a checkpoint'):
        read_source(str(tmp_path / 'weights.pth'))
