"""What Python prints about imports, from a real program."""

import subprocess
import sys

import pytest

from mobilenext_det.speed.import_times import OTHERS, PACKAGES, import_seconds

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
