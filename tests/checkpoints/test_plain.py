import enum
import io
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer, MMLogger

from mobilenext_det.checkpoints.plain import restore_histories, to_plain


class Kind(enum.IntEnum):
    ONE = 1


def through_file(value):
    file = io.BytesIO()
    torch.save(value, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize(
    'value, plain',
    [
        (np.float64(0.1), 0.1),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_('a'), 'a'),
        (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
        (Kind.ONE, 1),
        (ConfigDict(a=ConfigDict(b=(1, [np.int8(2)]))), {'a': {'b': (1, [2])}}),
        (OrderedDict(a={np.int64(1): {2, 3}}), OrderedDict(a={1: {2, 3}})),
        (Counter({40000: 1}), Counter({40000: 1})),
        ([None, True, 1, 1.5, 'a', b'b', torch.float16], [None, True, 1, 1.5, 'a', b'b', torch.float16]),
    ],
)
def test_everything_becomes_plain_and_reads_back(value, plain):
    result = to_plain(value)
    assert result == plain
    assert type(result) is type(plain)
    assert through_file(result) == plain


def test_tensors_are_shared_and_module_versions_kept():
    state = torch.nn.BatchNorm2d(3).state_dict()
    plain = to_plain(state)
    assert plain['weight'] is state['weight']
    assert through_file(plain)._metadata == state._metadata


def test_histories_come_back_bit_for_bit():
    history = HistoryBuffer([0.1, float('nan'), 3.0], [1, 2, 3], max_length=5)
    scalars = through_file(to_plain(dict(loss=history, empty=HistoryBuffer())))
    restore_histories(scalars)
    assert scalars['loss'].max_length == 5
    for restored, original in zip(scalars['loss'].data, history.data, strict=True):
        assert restored.dtype == original.dtype
        np.testing.assert_array_equal(restored, original)
    scalars['loss'].update(4.0)
    assert scalars['loss'].current() == 4.0
    assert len(scalars['empty'].data[0]) == 0


def test_what_has_no_plain_form_is_left_out_and_named(tmp_path):
    MMLogger.get_instance('plain', log_file=str(tmp_path / 'log'))
    plain = to_plain(dict(message_hub=dict(runtime_info=dict(kept=1, lost=[object()]))))
    assert plain == dict(message_hub=dict(runtime_info=dict(kept=1)))
    text = 'checkpoint.message_hub.runtime_info.lost[0] holds a object, which has no plain form: left out'
    assert text in (tmp_path / 'log').read_text()
