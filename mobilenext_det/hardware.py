"""What the machine at hand computes fast with."""

from __future__ import annotations

import ctypes
import platform
from pathlib import Path

import torch

# Names of glibc's malloc.h, and values that mean "never".
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER_TRIM, _NO_MMAP = 2**31 - 1, 0


def has_fast_bfloat16(device: str) -> bool:
    """Tell whether bfloat16 is faster than float32 on a kind of device.

    Args:
        device: 'cpu', which needs AVX512-BF16 or AMX, or 'cuda', where cards from Ampere on have it.
    """
    if device == 'cuda':
        return torch.cuda.get_device_capability() >= (8, 0)
    if device != 'cpu' or not hasattr(torch.cpu, 'get_capabilities'):  # older torch does not tell
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ('avx512_bf16', 'amx_bf16'))


def keep_freed_memory() -> bool:
    """Have this process keep the memory that it frees, and use it again.

    glibc gives every large block back to the system as soon as it is freed, and the system clears the pages of the next
    one, 4 KiB at a time: two fifths of a training step on a CPU, whose activations are freed and allocated anew in
    every iteration. What the process holds at its peak, it then holds to its end.

    Returns:
        Whether the process does; False where its C library is not glibc.
    """
    if platform.libc_ver()[0] != 'glibc':
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_M_MMAP_MAX, _NO_MMAP) and libc.mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM))


def cpu_name() -> str:
    """Return what the processor calls itself."""
    info = Path('/proc/cpuinfo')
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.processor() or platform.machine()
