"""torchvision's transforms in a pipeline of MMDetection's, for classification."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from torchvision.transforms import v2


@TRANSFORMS.register_module()
class PackImage(BaseTransform):
    """Augment a loaded image with torchvision's transforms, and give it the form that `ImageClassifier` takes.

    Args:
        transforms: What to do, in order: the name of a class in :mod:`torchvision.transforms.v2` as `type`, and its
            arguments, such as `dict(type='RandomResizedCrop', size=224)`. The image is uint8 (3, H, W), RGB.

    Raises:
        ValueError: If torchvision has no such transform.
    """

    def __init__(self, transforms: Sequence[dict] = ()) -> None:
        unknown = [step['type'] for step in transforms if not hasattr(v2, step['type'])]
        if unknown:
            raise ValueError(f'torchvision.transforms.v2 has no {unknown[0]}.')
        self.steps = [getattr(v2, kind)(**arguments) for kind, arguments in map(_split, transforms)]

    def transform(self, results: dict) -> dict:
        """Augment and pack.

        Args:
            results: `img`, uint8 (H, W, 3), BGR, and `label`.

        Returns:
            `inputs`, uint8 (3, H, W), RGB, and `data_samples`, the label.
        """
        image = torch.from_numpy(np.ascontiguousarray(results['img'][..., ::-1].transpose(2, 0, 1)))
        with _seeded_by_numpy():
            for step in self.steps:
                image = step(image)
        return dict(inputs=image, data_samples=results['label'])


def _split(step: dict) -> tuple[str, dict]:
    return step['type'], {key: value for key, value in step.items() if key != 'type'}


@contextmanager
def _seeded_by_numpy() -> Iterator[None]:
    """Seed torch's generator from NumPy's, which `SeedBySample` has seeded, and put it back afterwards.

    torchvision draws from torch's generator, which without workers is the one that training itself draws from.
    """
    state = torch.default_generator.get_state()
    torch.default_generator.manual_seed(np.random.randint(2**31))
    try:
        yield
    finally:
        torch.default_generator.set_state(state)
