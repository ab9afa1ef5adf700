import subprocess
import sys
from pathlib import Path

import pytest

from mobilenext_det.hardware import has_fast_bfloat16

COUNT_FAULTS = """
import resource
import torch
from mobilenext_det.hardware import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = faults()
assert keep_freed_memory()
torch.ones(2**24)
print(usual, faults())
"""


def test_freed_memory_is_used_again():
    result = subprocess.run([sys.executable, '-c', COUNT_FAULTS], capture_output=True, text=True, check=True)
    usual, kept = map(int, result.stdout.split())
    assert usual > 10 * 2**26 / 2**21, 'blocks of 64 MiB, given back each time, are faulted in again'
    assert kept < usual / 100


def test_bfloat16_is_fast_where_the_processor_says_so():
    flags = Path('/proc/cpuinfo').read_text().split()
    assert has_fast_bfloat16('cpu') is ('avx512_bf16' in flags or 'amx_bf16' in flags)


@pytest.mark.parametrize('device', ['mps', 'xpu'])
def test_what_was_never_measured_counts_as_slow(device):
    assert not has_fast_bfloat16(device)
