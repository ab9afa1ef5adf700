"""What a checkpoint is read for, its weights and its class names, and models that are to have all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mobilenext_det.errors import CheckpointError, UsageError

from .checkpoint_fit import mismatches
from .class_lists import saved_classes
from .safe_load import require_checkpoint


class Weights(NamedTuple):
    """A trained network.

    Attributes:
        state_dict: Its parameters and buffers by name.
        classes: The names of its classes; empty if the checkpoint does not say.
    """

    state_dict: Mapping[str, Tensor]
    classes: tuple[str, ...]


def read_weights(checkpoint: str | Path) -> Weights:
    """Read a checkpoint, or a file with a bare ``state_dict``.

    Args:
        checkpoint: The file, or its address.

    Raises:
        CheckpointError: If the file is damaged or holds no weights.
        UsageError: If there is no such file.
    """
    require_checkpoint(str(checkpoint))
    saved = CheckpointLoader.load_checkpoint(str(checkpoint), 'cpu', logger='silent')
    state_dict = saved.get('state_dict', saved) if isinstance(saved, Mapping) else None
    if not isinstance(state_dict, Mapping) or not all(isinstance(value, Tensor) for value in state_dict.values()):
        raise CheckpointError(f'{checkpoint} holds no weights: give it a checkpoint that training wrote.')
    return Weights(state_dict, saved_classes(saved))


def load_in_full(model: nn.Module, checkpoint: str | Path, config: str) -> Weights:
    """Load a checkpoint into a model; what the model does not have is left out.

    Args:
        model: The model.
        checkpoint: The file, or its address.
        config: What the sentence calls the model.

    Returns:
        What was read.

    Raises:
        CheckpointError: If the file is damaged or holds no weights.
        UsageError: If there is no such file, or the model needs anything that it does not hold.
    """
    weights = read_weights(checkpoint)
    unfit = mismatches(model, weights.state_dict).both
    if unfit:
        raise UsageError(f'{checkpoint} does not fit {config}: {len(unfit)} parameters differ, such as {unfit[0]}.')
    model.load_state_dict(weights.state_dict, strict=False)
    return weights
