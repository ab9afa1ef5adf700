"""Randomness inside the network that does not depend on what was drawn before."""

from __future__ import annotations

import numpy as np
import torch
from mmdet.registry import HOOKS
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner


@HOOKS.register_module()
class SeedIterationHook(Hook):
    """Seed torch in every training iteration from (seed, rank, iteration).

    Dropout draws from torch's generator, whose state no checkpoint keeps: without this a resumed run drops other
    features than the uninterrupted one.
    """

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Seed the generators of all devices.

        Args:
            runner: The runner.
            batch_idx: Not used.
            data_batch: Not used.
        """
        sequence = np.random.SeedSequence((runner.seed, get_rank(), runner.iter))
        torch.manual_seed(int(sequence.generate_state(1)[0]))
