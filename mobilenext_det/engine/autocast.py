"""Mixed precision where mmengine's AmpOptimWrapper refuses to run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from mmengine.runner import autocast
from torch import nn


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """mmengine's ``OptimWrapper`` with the forward pass in bfloat16 autocast.

    Works on the CPU, where ``AmpOptimWrapper`` asserts. bfloat16 has float32's range: no loss is scaled, nothing is
    added to the checkpoint, and parameters, gradients and optimiser state stay float32.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Wrap the forward pass.

        Args:
            model (nn.Module): The model that is trained.
        """
        device = next(model.parameters()).device.type
        with super().optim_context(model), autocast(device, torch.bfloat16):
            yield
