"""Checkpoints: written whole, read without running code, held against the model they are meant for."""

from .checkpoint_fit import CheckpointFitHook
from .checkpoint_hook import SafeCheckpointHook
from .pretrained_if_there import PretrainedIfThere
from .safe_load import load_from_local, require_checkpoint

__all__ = [
    'CheckpointFitHook',
    'PretrainedIfThere',
    'SafeCheckpointHook',
    'load_from_local',
    'require_checkpoint',
]
