"""What drives: the training loop, hooks, optimiser wrappers, and the safe way to and from checkpoints."""

from .autocast import AutocastOptimWrapper
from .channels_last_hook import ChannelsLastHook
from .checkpoint_hook import SafeCheckpointHook
from .loops import ResumableIterBasedTrainLoop
from .shape_check_hook import ShapeCheckHook

__all__ = [
    'AutocastOptimWrapper',
    'ChannelsLastHook',
    'ResumableIterBasedTrainLoop',
    'SafeCheckpointHook',
    'ShapeCheckHook',
]
