"""Checkpoints: written whole, read without running code, held against the model they are meant for."""

from .checkpoint_fit import CheckpointFitHook, Mismatches, mismatches
from .checkpoint_hook import SafeCheckpointHook
from .class_lists import ClassListHook, require_num_classes, require_same_classes, saved_classes
from .pretrained_detector import PretrainedDetector
from .pretrained_if_there import PretrainedIfThere
from .safe_load import load_from_local, require_checkpoint
from .weights import Weights, load_in_full, read_weights

__all__ = [
    'CheckpointFitHook',
    'ClassListHook',
    'Mismatches',
    'PretrainedDetector',
    'PretrainedIfThere',
    'SafeCheckpointHook',
    'Weights',
    'load_from_local',
    'load_in_full',
    'mismatches',
    'read_weights',
    'require_checkpoint',
    'require_num_classes',
    'require_same_classes',
    'saved_classes',
]
