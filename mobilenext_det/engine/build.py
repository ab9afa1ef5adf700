"""A runner built of a config, with its data: what cannot be built, or prepares no picture, is said at once."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mobilenext_det.errors import UsageError

from .explain import ExplainedRunner, said

LARGEST = {'batch_size': 1 << 16, 'num_workers': 1 << 10}
"""Above these, what is meant to be a number of images or processes fills the memory before it fails."""


def build_runner(config: Config, *phases: str) -> Runner:
    """Build a runner, its loops and their data sets, and prepare one picture of each.

    What mmengine says of a misspelt key, a value of another type or a missing `type` is a traceback of its registry, or
    comes up in a worker once the model is there.

    Args:
        config: The config of one run.
        phases: 'train', 'val' and 'test', as far as they are to run.

    Raises:
        UsageError: If the config has a setting of which nothing can be built.
    """
    for phase in phases:
        _require_possible(config, f'{phase}_dataloader')
    with said(config.filename, 'it cannot be built as it is set'):
        runner = ExplainedRunner.from_cfg(config)
    for phase in phases:
        with said(config.filename, f'{phase}_dataloader cannot be built as it is set'):
            loop = getattr(runner, f'{phase}_loop')
            if loop is not None:
                _prepare_one(loop.dataloader, runner.model)
    return runner


def _require_possible(config: Config, name: str) -> None:
    for key, largest in LARGEST.items():
        value = (config.get(name) or {}).get(key)
        if value is not None and (type(value) is not int or not 0 <= value <= largest):
            raise UsageError(f'{config.filename}: {name}.{key} is {value!r}, but must be a number up to {largest}.')


def _prepare_one(loader: DataLoader, model: nn.Module) -> None:
    """Prepare the first picture as a network takes it; what is drawn at random later stays what it was."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    iter(loader.sampler)
    try:
        batch = loader.collate_fn([loader.dataset[0]])
        inner: Any = model.module if is_model_wrapper(model) else model
        inner.data_preprocessor(batch)
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
