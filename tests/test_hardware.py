import subprocess
import sys
from pathlib import Path

import pytest

from mobilenext_det.hardware import has_fast_bfloat16

# malloc_info, unlike mallinfo2, is in every glibc. The kernel is not asked: when it takes pages back is its own affair.
ASK_MALLOC = """
import ctypes, os, tempfile
import xml.etree.ElementTree as ET
import torch
from mobilenext_det.hardware import keep_freed_memory

libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p

def held():
    with tempfile.TemporaryFile() as file:
        stream = ctypes.c_void_p(libc.fdopen(os.dup(file.fileno()), b'w'))
        assert libc.malloc_info(0, stream) == libc.fclose(stream) == 0
        file.seek(0)
        root = ET.parse(file).getroot()
    return sum(int(root.find(kind).get('size')) for kind in ('system[@type="current"]', 'total[@type="mmap"]'))

def allocate_and_free():
    before = held()
    block = torch.ones(2**24)
    during = held()
    del block
    print(during - before, held() - before)

allocate_and_free()
assert keep_freed_memory()
for _ in range(10):
    allocate_and_free()
"""
BLOCK = 2**26
LITTLE = 2**20


def test_freed_memory_is_used_again():
    result = subprocess.run([sys.executable, '-c', ASK_MALLOC], capture_output=True, text=True, check=True)
    # What malloc holds of the system's memory, more than before a block: with the block, and without it again.
    usual, first, *others = [tuple(map(int, line.split())) for line in result.stdout.splitlines()]
    assert usual[0] >= BLOCK, 'a block of its own'
    assert usual[1] < LITTLE, 'given back at once'
    assert min(first) >= BLOCK - LITTLE, 'kept'
    assert len(others) == 9
    # Aligned, the next block may need room of its own once; then there is room for all.
    assert max(map(max, others[1:])) < LITTLE, 'used again'


def test_bfloat16_is_fast_where_the_processor_says_so():
    flags = Path('/proc/cpuinfo').read_text().split()
    assert has_fast_bfloat16('cpu') is ('avx512_bf16' in flags or 'amx_bf16' in flags)


@pytest.mark.parametrize('device', ['mps', 'xpu'])
def test_what_was_never_measured_counts_as_slow(device):
    assert not has_fast_bfloat16(device)
