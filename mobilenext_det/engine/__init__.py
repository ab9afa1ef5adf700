"""What drives: the training loop, hooks, optimiser wrappers, and the safe way to and from checkpoints."""

from .autocast import AutocastOptimWrapper
from .channels_last_hook import ChannelsLastHook
from .checkpoint_fit import CheckpointFitHook
from .checkpoint_hook import SafeCheckpointHook
from .errors import UsageError
from .loops import ResumableIterBasedTrainLoop
from .pretrained_if_there import PretrainedIfThere
from .safe_load import CheckpointError, load_from_local

__all__ = [
    'AutocastOptimWrapper',
    'ChannelsLastHook',
    'CheckpointError',
    'CheckpointFitHook',
    'PretrainedIfThere',
    'ResumableIterBasedTrainLoop',
    'SafeCheckpointHook',
    'UsageError',
    'load_from_local',
]
