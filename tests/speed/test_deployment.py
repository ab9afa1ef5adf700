"""What the benchmark refuses before it measures, and how new rows join a table; the tool's test measures."""

from pathlib import Path

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.deployment import benchmark, merge
from mobilenext_det.speed.forms import Trained, wanted

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'ssdlite_mobilenext_toy.py'
(CHECKPOINT,) = (ROOT / 'checkpoints').glob('ssdlite_*.pth')


def row(network, weights, form, precision, value=0):
    return dict(network=network, weights=weights, form=form, precision=precision, value=value)


def test_new_rows_replace_those_of_their_key_and_join_their_network():
    a, b = ('a', '01234567'), ('b', '89abcdef')
    stored = [row(*a, 'pytorch', 'fp32'), row(*a, 'onnx', 'int8'), row(*b, 'pytorch', 'fp32'), row(*b, 'onnx', 'fp32')]
    new = [row(*b, 'onnx', 'fp32', 1), row('a', 'fedcba98', 'onnx', 'int8', 1), row(*a, 'onnx', 'fp32', 1)]
    assert merge(stored, new) == [
        row(*a, 'pytorch', 'fp32'),
        row(*a, 'onnx', 'fp32', 1),
        row(*a, 'onnx', 'int8'),
        row(*b, 'pytorch', 'fp32'),
        row(*b, 'onnx', 'fp32', 1),
        row('a', 'fedcba98', 'onnx', 'int8', 1),
    ]


def test_torchscript_has_no_int8():
    assert wanted(['executorch', 'onnx', 'torchscript'], ['int8', 'fp32']) == [
        ('onnx', 'fp32'),
        ('onnx', 'int8'),
        ('torchscript', 'fp32'),
        ('executorch', 'fp32'),
        ('executorch', 'int8'),
    ]


def test_weights_are_named_as_published_checkpoints_are():
    trained = Trained.parse(f'{CONFIG}={CHECKPOINT}')
    assert (trained.name, trained.weights) == ('ssdlite_mobilenext_toy', CHECKPOINT.stem.rpartition('-')[2])


@pytest.mark.parametrize(
    ('given', 'sentence'),
    [
        (CONFIG, f'{CONFIG} has no weights: write CONFIG=CHECKPOINT.'),
        (f'{CONFIG}=nowhere.pth', 'There is no checkpoint nowhere.pth.'),
        (f'nowhere.py={CHECKPOINT}', 'There is no config nowhere.py.'),
    ],
)
def test_what_is_missing_is_said(given, sentence, tmp_path):
    with pytest.raises(UsageError) as error:
        benchmark([str(given)], str(tmp_path))
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    'content', ['', '[]', '{"format": 0}', '{"format": 1, "rows": []}', '{"format": 1, "rows": [{}]}']
)
def test_a_damaged_table_is_not_overwritten(content, tmp_path):
    (tmp_path / 'deploy.json').write_text(content)
    with pytest.raises(UsageError, match='is no table of this version .* delete it or name another --out'):
        benchmark([f'{CONFIG}={CHECKPOINT}'], str(tmp_path))
    assert (tmp_path / 'deploy.json').read_text() == content


def test_no_pictures_to_time_is_said(tmp_path):
    from mobilenext_det.datasets.toy_voc import make_toy_voc

    make_toy_voc(tmp_path, trainval=1, test=1, seed=0, workers=1)
    with pytest.raises(UsageError) as error:
        Trained.parse(f'{CONFIG}={CHECKPOINT}', data_root=str(tmp_path)).pictures(0)
    assert str(error.value) == 'There are no pictures to time: --images is 0, the test set has 1.'
