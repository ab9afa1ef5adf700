"""The one rule for the type that the forward pass of training runs in."""

from __future__ import annotations

import torch
from mmengine.config import Config

from mobilenext_det.hardware import has_fast_bfloat16


def forward_dtype(asked: str, device: str, accelerate: bool = True) -> torch.dtype:
    """Return the type that is computed in.

    Args:
        asked: A type's name, which is taken at its word, or 'auto' for bfloat16 where a device computes fast in it and
            acceleration is on, and float32 elsewhere.
        device: 'cpu' or 'cuda'.
        accelerate: Whether acceleration is on.
    """
    if asked == 'auto':
        return torch.bfloat16 if accelerate and has_fast_bfloat16(device) else torch.float32
    return getattr(torch, asked)


def training_dtype(config: Config) -> torch.dtype:
    """Return the type that a config's network would be trained in on this machine."""
    device = _device()
    wrapper = config.get('optim_wrapper', {})
    asked = {
        'AutocastOptimWrapper': wrapper.get('dtype') or 'auto',
        'AmpOptimWrapper': wrapper.get('dtype') or _lower(device),
    }
    accelerate = config.get('default_hooks', {}).get('acceleration', {}).get('enabled', True)
    return forward_dtype(asked.get(wrapper.get('type'), 'float32'), device, accelerate)


def ask_for_lower_precision(config: Config) -> None:
    """Have a config train in lower precision whatever the hardware: float16 on a GPU, as mmengine does, or bfloat16."""
    device = _device()
    wrapper = 'AmpOptimWrapper' if device == 'cuda' else 'AutocastOptimWrapper'
    config.merge_from_dict(dict(optim_wrapper=dict(type=wrapper, dtype=_lower(device))))


def _lower(device: str) -> str:
    return 'float16' if device == 'cuda' else 'bfloat16'


def _device() -> str:
    return 'cuda' if torch.cuda.is_available() else 'cpu'
