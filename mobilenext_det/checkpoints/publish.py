"""Checkpoints to give away: weights and class names, nothing else, half the size."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .weights import read_weights


def publish(checkpoint: str | Path, out: str | Path, backbone: str | None = None) -> Path:
    """Write what others need of a training checkpoint: its weights and its class names, or a backbone for detectors.

    Weights of two dimensions or more are stored in half precision; scales, shifts and statistics of batch norm, which
    are few, stay as they are. The file's name ends in the first eight digits of its SHA-256, as in MMDetection's zoo.

    Args:
        checkpoint: A checkpoint that training wrote.
        out: The file to write; ``model.pth`` becomes ``model-0123abcd.pth``.
        backbone: What the names of a backbone's weights begin with: they alone are written, as `backbone.*`, and no
            class names.

    Returns:
        The file written.

    Raises:
        UsageError: If the checkpoint is missing, damaged, or holds no class names or no such backbone.
    """
    state_dict, classes = read_weights(checkpoint)
    if backbone is not None:
        state_dict, meta = _backbone_of(state_dict, backbone, checkpoint), {}
    elif classes:
        meta = {'dataset_meta': {'classes': classes}}
    else:
        raise UsageError(f'{checkpoint} holds no class names: publish a checkpoint that training wrote.')
    weights = {
        name: value.half() if value.dim() > 1 and value.is_floating_point() else value
        for name, value in state_dict.items()
    }
    buffer = io.BytesIO()
    torch.save({'meta': meta, 'state_dict': weights}, buffer)
    data = buffer.getvalue()
    path = Path(out)
    path = path.with_name(f'{path.stem}-{hashlib.sha256(data).hexdigest()[:8]}{path.suffix or ".pth"}')
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(data, path)
    return path


def _backbone_of(state_dict: Mapping[str, Tensor], prefix: str, checkpoint: str | Path) -> dict[str, Tensor]:
    own = {f'backbone.{name.removeprefix(prefix)}': w for name, w in state_dict.items() if name.startswith(prefix)}
    if not own:
        raise UsageError(
            f'{checkpoint} has no weights that begin with {prefix}: its first is {next(iter(state_dict))}.'
        )
    return own
