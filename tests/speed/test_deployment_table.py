"""The table of the benchmark, cell by cell."""

import copy

from mobilenext_det.speed.deployment_table import deploy_table

MACHINE = dict(cpu='A CPU', cores=2, onnxruntime='1.2', executorch=None, torch='2.1', mmdet='3.3')


def threads(network, p95, file, stock, peak):
    return dict(
        network_ms_p50=network, network_ms_p95=p95, file_ms_p50=file, times_stock=stock, peak_mib=peak, imports_mib=80
    )


ROW = dict(
    network='net',
    weights='01234567',
    form='onnx',
    precision='int8',
    file_bytes=1_234_567,
    mAP_11points=0.5,
    mAP_area=0.51234,
    pictures=3,
    machine=MACHINE,
    threads={'1': threads(5.04, 6.06, 7.0, 4.126, 110.4), '2': threads(3.0, 4.0, 5.0, None, 120.6)},
)
STOCK = ROW | dict(network='stock', weights='random', form='stock', precision='fp32')
STOCK |= dict(file_bytes=None, mAP_11points=None, mAP_area=None)


def cells(line):
    return [cell.strip() for cell in line.strip('|').split('|')]


def test_cells():
    heading, _, stock, row, *_ = map(cells, deploy_table([STOCK, ROW]).splitlines())
    assert dict(zip(heading, row, strict=True)) == {
        'network': 'net',
        'form': 'ONNX Runtime',
        'precision': 'int8',
        'MB': '1.23',
        'mAP 11points': '50.00',
        'mAP area': '51.23',
        'ms (1)': '5.0 / 6.1',
        'ms (2)': '3.0 / 4.0',
        'file (1)': '7.0',
        'file (2)': '5.0',
        'stock (1)': '4.13',
        'stock (2)': '-',
        'MiB / own': '121 / 41',
    }
    assert stock[:6] == ['stock', 'MMDetection', 'fp32', '-', '-', '-']


def test_one_machine_is_told_below():
    assert deploy_table([ROW]).endswith(
        'Machine: A CPU, 2 cores, ONNX Runtime 1.2, PyTorch 2.1, MMDetection 3.3; 3 pictures.'
    )


def test_rows_of_several_machines_and_weights_are_told_apart():
    other = copy.deepcopy(ROW) | dict(weights='89abcdef', machine=MACHINE | dict(cores=4))
    lines = deploy_table([ROW, other]).splitlines()
    assert cells(lines[0])[3] == 'on'
    assert [cells(line)[:4] for line in lines[2:4]] == [
        ['net-01234567', 'ONNX Runtime', 'int8', '1'],
        ['net-89abcdef', 'ONNX Runtime', 'int8', '2'],
    ]
    assert '1: A CPU, 2 cores' in lines[-1] and '2: A CPU, 4 cores' in lines[-1]


def test_unknown_memory_is_a_dash():
    row = copy.deepcopy(ROW)
    row['threads']['1']['peak_mib'] = None
    assert cells(deploy_table([row]).splitlines()[2])[-1] == '-'


def test_the_longest_names_fit():
    row = ROW | dict(network='ssdlite_mobilenetv2_expansion_voc', form='executorch')
    row['threads'] = dict.fromkeys('12', threads(123.4, 567.8, 123.4, 99.99, 1024))
    assert '…' not in deploy_table([row, row | dict(weights='89abcdef', machine=MACHINE | dict(cores=4))])
