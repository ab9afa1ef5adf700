"""Checkpoints to give away: weights and class names, nothing else, half the size."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import torch

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .weights import read_weights


def publish(checkpoint: str | Path, out: str | Path) -> Path:
    """Write what others need of a training checkpoint: its weights and its class names.

    Weights of two dimensions or more are stored in half precision; scales, shifts and statistics of batch norm, which
    are few, stay as they are. The file's name ends in the first eight digits of its SHA-256, as in MMDetection's zoo.

    Args:
        checkpoint: A checkpoint that training wrote.
        out: The file to write; ``model.pth`` becomes ``model-0123abcd.pth``.

    Returns:
        The file written.

    Raises:
        UsageError: If the checkpoint is missing, damaged, or holds no class names.
    """
    state_dict, classes = read_weights(checkpoint)
    if not classes:
        raise UsageError(f'{checkpoint} holds no class names: publish a checkpoint that training wrote.')
    weights = {
        name: value.half() if value.dim() > 1 and value.is_floating_point() else value
        for name, value in state_dict.items()
    }
    buffer = io.BytesIO()
    torch.save({'meta': {'dataset_meta': {'classes': classes}}, 'state_dict': weights}, buffer)
    data = buffer.getvalue()
    path = Path(out)
    path = path.with_name(f'{path.stem}-{hashlib.sha256(data).hexdigest()[:8]}{path.suffix or ".pth"}')
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(data, path)
    return path
