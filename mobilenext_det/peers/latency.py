"""How long networks take, all written and run in the same way."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from torch import Tensor, nn

ROUNDS, SKIPPED = 50, 5


class _Raw(nn.Module):
    """The outputs of a detector's head, before suppression."""

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(level for levels in self.detector(images, mode='tensor') for level in levels)


def write_network(config: Config, checkpoint: Path, size: int, path: Path) -> int:
    """Write a detector's network as an ONNX file, from images (1, 3, size, size) to the outputs of its head.

    Args:
        config: Its config.
        checkpoint: Its weights.
        size: Side of its input in pixels.
        path: The file to write.

    Returns:
        The number of its parameters.
    """
    init_default_scope('mmdet')
    model = MODELS.build(config.model).eval()
    load_checkpoint(model, str(checkpoint), map_location='cpu', logger='silent')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of tracing, whose shapes are meant to be constant
        torch.onnx.export(_Raw(model), (torch.zeros(1, 3, size, size),), str(path), dynamo=False, opset_version=17)
    return sum(each.numel() for each in model.parameters())


def network_milliseconds(networks: Mapping[str, Path]) -> dict[str, float]:
    """Measure the median time of networks for one image, in turns, one thread each.

    Args:
        networks: Their ONNX files, by name.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = {name: onnxruntime.InferenceSession(str(path), options) for name, path in networks.items()}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for _ in range(SKIPPED + ROUNDS):
        for name, session in sessions.items():
            (given,) = session.get_inputs()
            image = np.zeros(given.shape, np.float32)
            started = time.perf_counter()
            session.run(None, {given.name: image})
            times[name].append(time.perf_counter() - started)
    return {name: round(1000 * statistics.median(each[SKIPPED:]), 2) for name, each in times.items()}
