"""Mixed precision by what the hardware can do, also where mmengine's AmpOptimWrapper refuses to run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.optim import OptimWrapper
from mmengine.runner import autocast
from torch import nn

from .precision import forward_dtype


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """mmengine's ``OptimWrapper`` with the forward pass in bfloat16 autocast.

    Works on the CPU, where ``AmpOptimWrapper`` asserts. bfloat16 has float32's range: no loss is scaled, nothing is
    added to the checkpoint, and parameters, gradients and optimiser state stay float32. ``OptimWrapper`` in its place
    trains in float32.

    Args:
        dtype: 'bfloat16', or 'auto' for what :func:`~mobilenext_det.engine.precision.forward_dtype` says.
        **kwargs: As for ``OptimWrapper``.

    Raises:
        ValueError: For another type.
    """

    def __init__(self, dtype: str = 'auto', **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if dtype not in ('auto', 'bfloat16'):
            raise ValueError(f"dtype must be 'auto' or 'bfloat16', but is {dtype!r}; OptimWrapper trains in float32.")
        self.asked = dtype
        self.accelerate(True)

    def accelerate(self, wanted: bool) -> None:
        """Choose the type anew for acceleration that is on or off.

        Args:
            wanted: Whether it is on.
        """
        device = self.param_groups[0]['params'][0].device.type
        self.dtype = forward_dtype(self.asked, device, wanted)

    @property
    def enabled(self) -> bool:
        """Whether the forward pass runs in lower precision."""
        return self.dtype != torch.float32

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Wrap the forward pass.

        Args:
            model: The model that is trained.
        """
        device = next(model.parameters()).device.type
        with super().optim_context(model), autocast(device, torch.bfloat16, enabled=self.enabled):
            yield
