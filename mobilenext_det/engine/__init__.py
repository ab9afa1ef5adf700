"""What drives: the training loop, hooks and optimiser wrappers."""

from .acceleration import AccelerationHook
from .autocast import AutocastOptimWrapper
from .loops import ResumableIterBasedTrainLoop
from .seed_hook import SeedIterationHook
from .settings_hook import SettingsHook

__all__ = [
    'AccelerationHook',
    'AutocastOptimWrapper',
    'ResumableIterBasedTrainLoop',
    'SeedIterationHook',
    'SettingsHook',
]
