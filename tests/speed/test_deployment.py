"""What the benchmark refuses before it measures, and how new rows join a table; the tool's test measures."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.deployment import DeployReport, DeployRow, Timed, benchmark, merge
from mobilenext_det.speed.forms import Trained, wanted
from mobilenext_det.speed.report import Machine
from tests.fixtures.shipped import TOY_DETECTOR

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs' / 'ssdlite_mobilenext_toy.py'


MACHINE = Machine('A CPU', 2, onnxruntime='1.2', executorch=None, torch='2.1', mmdet='3.3')
ROW = DeployRow(
    network='net',
    form='onnx',
    precision='int8',
    weights='01234567',
    checkpoint='net.pth',
    file_bytes=1_234_567,
    mAP_11points=0.5,
    mAP_area=0.51234,
    pictures=3,
    machine=MACHINE,
    threads={'1': Timed(5.04, 6.06, 7.0, 110.4, 80.0, 4.126), '2': Timed(3.0, 4.0, 5.0, 120.6, 80.0, None)},
)
STOCK = replace(ROW, network='stock', weights='random', form='stock', precision='fp32', checkpoint=None)
STOCK = replace(STOCK, file_bytes=None, mAP_11points=None, mAP_area=None)


def row(network, weights, form, precision, pictures=0):
    return replace(ROW, network=network, weights=weights, form=form, precision=precision, pictures=pictures)


def table(*rows):
    return DeployReport(1, list(rows)).text


def cells(line):
    return [cell.strip() for cell in line.strip('|').split('|')]


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
    trained = Trained.parse(f'{CONFIG}={TOY_DETECTOR}')
    assert (trained.name, trained.weights) == ('ssdlite_mobilenext_toy', TOY_DETECTOR.stem.rpartition('-')[2])


@pytest.mark.parametrize(
    ('given', 'sentence'),
    [
        (CONFIG, f'{CONFIG} has no weights: write CONFIG=CHECKPOINT.'),
        (f'{CONFIG}=nowhere.pth', 'There is no checkpoint nowhere.pth.'),
        (f'nowhere.py={TOY_DETECTOR}', 'There is no config nowhere.py.'),
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
        benchmark([f'{CONFIG}={TOY_DETECTOR}'], str(tmp_path))
    assert (tmp_path / 'deploy.json').read_text() == content


def test_no_pictures_to_time_is_said(tmp_path):
    from mobilenext_det.datasets.toy_voc import make_toy_voc

    make_toy_voc(tmp_path, trainval=1, test=1, seed=0, workers=1)
    with pytest.raises(UsageError) as error:
        Trained.parse(f'{CONFIG}={TOY_DETECTOR}', data_root=str(tmp_path)).pictures(0)
    assert str(error.value) == 'There are no pictures to time: --images is 0, the test set has 1.'


def test_one_machine_is_told_below():
    assert table(ROW).endswith('Machine: A CPU, 2 cores, ONNX Runtime 1.2, PyTorch 2.1, MMDetection 3.3; 3 pictures.')


def test_rows_of_several_machines_and_weights_are_told_apart():
    other = replace(ROW, weights='89abcdef', machine=replace(MACHINE, cores=4))
    lines = table(ROW, other).splitlines()
    assert cells(lines[0])[3] == 'on'
    assert [cells(line)[:4] for line in lines[2:4]] == [
        ['net-01234567', 'ONNX Runtime', 'int8', '1'],
        ['net-89abcdef', 'ONNX Runtime', 'int8', '2'],
    ]
    assert '1: A CPU, 2 cores' in lines[-1] and '2: A CPU, 4 cores' in lines[-1]


def test_what_is_not_known_is_a_dash():
    row = replace(ROW, threads={'1': replace(ROW.threads['1'], peak_mib=None), '2': ROW.threads['2']})
    heading, _, stock, last, *_ = map(cells, table(STOCK, row).splitlines())
    shown = dict(zip(heading, stock, strict=True))
    assert [shown[key] for key in ('MB', 'mAP 11points', 'mAP area', 'stock (2)')] == ['-'] * 4
    assert last[-1] == '-'


def test_the_longest_names_fit():
    row = replace(ROW, network='ssdlite_mobilenetv2_expansion_voc', form='executorch')
    row = replace(row, threads=dict.fromkeys('12', Timed(123.4, 567.8, 123.4, 1024, 80, 99.99)))
    other = replace(row, weights='89abcdef', machine=replace(MACHINE, cores=4))
    heading, _, *rows = map(cells, table(row, other).splitlines()[:4])
    assert '…' not in table(row, other) and [len(cells) for cells in rows] == [len(heading)] * 2


@pytest.mark.parametrize('name', ['bccd', 'toy'])
def test_published_tables_can_be_extended(name):
    stored = json.loads((ROOT / 'docs' / 'deployment' / name / 'deploy.json').read_text())
    rows = [DeployRow.read(row) for row in stored['rows']]
    assert merge(rows, [ROW])[:-1] == rows
    assert [asdict(row) for row in rows] == stored['rows']
