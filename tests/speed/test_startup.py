"""What is said about measured starts, and what Python prints about imports; the tool's test measures."""

import subprocess
import sys

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.commands import Settings
from mobilenext_det.speed.startup import OTHERS, PACKAGES, Start, compare_startup, import_seconds, report

LOG = """\
06/01 12:00:00 - mmengine - INFO - a line of the program
import time: self [us] | cumulative | imported package
import time:       200 |        200 |   torch._C
import time:      1000 |       1500 | torch
import time:       300 |        300 |   numpy.core
import time:        40 |         40 |     torchvision
import time:         7 |          7 | torchmetrics
import time: nothing of this form
"""


def test_medians_of_phases_and_of_the_whole():
    starts = {
        'stock': [Start(6, 1, 2, 1, 900), Start(7, 1, 2, 1, 950), Start(20, 1, 2, 1, 920)],
        'mobilenext': [Start(4, 1, 1, 1, 800), Start(4, 2, 1, 1, 800), Start(4, 3, 1, 1, 820)],
    }
    imports = {'stock': {'torch': 3.0, 'rich': 0.0}, 'mobilenext': {'torch': 2.0, 'rich': 0.1}}
    found = report(starts, imports, Settings(batch_size=2), 'here')
    assert [start.seconds for start in starts['stock']] == [10, 11, 24]
    assert (found.ours, found.stock, found.ratio) == (8, 11, 11 / 8)
    assert found.medians('imports') == [7, 4]
    assert found.medians('model') == [1, 2]
    lines = [line for line in found.text.splitlines() if line.startswith('|')]
    assert len(lines) == 2 + 7 + 2 + 3
    assert all('…' not in line for line in lines)
    assert found.numbers['starts']['stock'][1]['imports'] == 7


def test_nothing_to_measure_is_refused(toy_root):
    with pytest.raises(UsageError, match='^--rounds 0 is too small'):
        compare_startup(Settings(toy_root), rounds=0)


def test_modules_count_for_their_own_package():
    seconds = import_seconds(LOG)
    assert list(seconds) == [*PACKAGES, OTHERS]
    assert seconds['torch'] == pytest.approx(0.0012)
    assert seconds['numpy'] == pytest.approx(0.0003)
    assert seconds['torchvision'] == pytest.approx(0.00004)
    assert seconds[OTHERS] == pytest.approx(0.000007)
    assert seconds['mmdet'] == 0


def test_a_real_program():
    command = [sys.executable, '-X', 'importtime', '-c', 'import numpy, rich.table']
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = import_seconds(result.stderr)
    assert seconds['numpy'] > 0 and seconds['rich'] > 0 and seconds[OTHERS] > 0
    assert seconds['torch'] == 0
