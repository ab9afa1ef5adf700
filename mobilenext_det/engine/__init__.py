"""What drives: the training loop, hooks and optimiser wrappers."""

from .acceleration import AccelerationHook
from .autocast import AutocastOptimWrapper
from .final_report import FinalReportHook
from .finite_hook import FiniteHook
from .loops import ResumableEpochBasedTrainLoop, ResumableIterBasedTrainLoop
from .resume_hook import ResumeHook
from .seed_hook import SeedIterationHook
from .settings_hook import SettingsHook
from .tta import TTAHook

__all__ = [
    'AccelerationHook',
    'AutocastOptimWrapper',
    'FinalReportHook',
    'FiniteHook',
    'ResumableEpochBasedTrainLoop',
    'ResumableIterBasedTrainLoop',
    'ResumeHook',
    'SeedIterationHook',
    'SettingsHook',
    'TTAHook',
]
