"""What drives: the training loop, hooks, optimiser wrappers, and the safe way to and from checkpoints."""

from .acceleration import AccelerationHook
from .autocast import AutocastOptimWrapper
from .checkpoint_fit import CheckpointFitHook
from .checkpoint_hook import SafeCheckpointHook
from .errors import UsageError
from .loops import ResumableIterBasedTrainLoop
from .pretrained_if_there import PretrainedIfThere
from .safe_load import CheckpointError, load_from_local
from .seed_hook import SeedIterationHook

__all__ = [
    'AccelerationHook',
    'AutocastOptimWrapper',
    'CheckpointError',
    'CheckpointFitHook',
    'PretrainedIfThere',
    'ResumableIterBasedTrainLoop',
    'SafeCheckpointHook',
    'SeedIterationHook',
    'UsageError',
    'load_from_local',
]
