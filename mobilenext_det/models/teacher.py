"""A frozen classifier of somebody else's, to learn from."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmdet.registry import MODELS
from mmengine.runner import CheckpointLoader
from torch import Tensor, nn

from mobilenext_det.errors import UsageError


@MODELS.register_module()
class Teacher(nn.Module):
    """Any classifier of any package, with its weights: it gives scores, and nothing of it is trained.

    Args:
        factory: What makes the network: a module and a callable in it, such as
            `'efficientnet_lite_pytorch:EfficientNet.from_name'`.
        weights: Its file; one that a package carries begins with the package's name.
        args: Positional arguments of `factory`.
        mean: Mean of red, green and blue, of values in [0, 255], that the network wants its images normalised by.
        std: Their deviation, likewise.
        size: Side that images are resized to before the network looks at them; as they come by default. A student may
            look at less than the teacher was trained on: of 334 ImageNet photographs at 128 pixels EfficientNet-Lite0
            names 68 % as they are and 81 % enlarged to the 224 it was trained on.
        install: The command that installs what is missing, for the error.

    Raises:
        UsageError: If the module or the file is missing, or the weights do not fit.

    Examples:
        >>> teacher = Teacher('torchvision.models:mobilenet_v2', 'data/mobilenet_v2-7ebf99e0.pth')  # doctest: +SKIP
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        factory: str,
        weights: str,
        args: Sequence[Any] = (),
        mean: float | Sequence[float] = 127.0,
        std: float | Sequence[float] = 128.0,
        size: int | None = None,
        install: str = '',
    ) -> None:
        super().__init__()
        fix = f': `{install}` installs it' if install else ''
        module, _, name = factory.partition(':')
        try:
            make: Any = importlib.import_module(module)
        except ImportError as error:
            raise UsageError(f'The teacher {factory} is not there ({error}){fix}.') from error
        for part in name.split('.'):
            make = getattr(make, part)
        path = _weights_file(weights)
        if path is None:
            raise UsageError(f'The weights of the teacher, {weights}, are not there{fix}.')
        self.network = make(*args)
        saved = CheckpointLoader.load_checkpoint(str(path), 'cpu', logger='silent')
        try:
            self.network.load_state_dict(saved.get('state_dict', saved))
        except RuntimeError as error:
            raise UsageError(f'{weights} does not fit {factory}: {str(error).splitlines()[1].strip()}') from error
        self.size = size
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1))
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> Teacher:
        """Stay in evaluation mode, whatever contains it."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Return scores before the softmax (N, classes) of images (N, 3, H, W), RGB in [0, 255]."""
        if self.size:
            images = F.interpolate(images, (self.size, self.size), mode='bilinear', align_corners=False)
        return self.network((images - self.mean) / self.std).float()


def _weights_file(weights: str) -> Path | None:
    """Return the file as it is named, or below the package that its first folder names."""
    path = Path(weights)
    if path.is_file():
        return path
    spec = importlib.util.find_spec(path.parts[0]) if path.parts[0].isidentifier() else None
    inside = Path(spec.origin).parent.joinpath(*path.parts[1:]) if spec and spec.origin else None
    return inside if inside and inside.is_file() else None
