"""Gradient confusion and information loss of one network at one point of its training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, set_random_seed
from rich.console import Console
from rich.progress import track

from mobilenext_det.checkpoints import load_in_full
from mobilenext_det.errors import UsageError

from .gradient_confusion import Confusion, batch_gradient, gradient_confusion
from .information import BottleneckLoss, BottleneckProbe


class Network(NamedTuple):
    """A network at one point of its training.

    Attributes:
        cfg: Its config.
        checkpoint: Its weights; None for those that training starts from.
    """

    cfg: Config
    checkpoint: str | None = None

    @property
    def name(self) -> str:
        """Name of the config."""
        return Path(self.cfg.filename).stem

    @property
    def point(self) -> str:
        """Name of the checkpoint, or 'init'."""
        return Path(self.checkpoint).stem if self.checkpoint else 'init'


@dataclass(frozen=True)
class Measurement:
    """What was measured of one network at one point of its training.

    Attributes:
        network: The config's name.
        point: The checkpoint's name, or 'init'.
        loss: Mean training loss of the mini-batches.
        confusion: By group of parameters; the whole network is the first.
        bottlenecks: By block; empty for a backbone without sandglass blocks and inverted residuals.
    """

    network: str
    point: str
    loss: float
    confusion: dict[str, Confusion]
    bottlenecks: list[BottleneckLoss]


def measure(network: Network, batches: int, seed: int) -> Measurement:
    """Measure a network on the first mini-batches that its train data loader gives with a seed.

    Args:
        network: The network.
        batches: Number of mini-batches.
        seed: Seed of the initial weights, of the order of the images and of their augmentation.

    Raises:
        UsageError: If the checkpoint does not fit, or there are fewer mini-batches.
    """
    model = build_network(network.cfg, network.checkpoint, seed)
    probe = BottleneckProbe(model.backbone)
    losses, gradients = [], []
    # Float32 in full, which tensor cores round to ten bits if they are let.
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        loader = train_batches(network.cfg, batches, seed)
        for batch in track(loader, f'{network.name}, {network.point}', batches, console=Console(stderr=True)):
            loss, gradient = batch_gradient(model, batch)
            losses.append(loss)
            gradients.append(gradient)
    confusion = gradient_confusion(gradients)
    return Measurement(network.name, network.point, sum(losses) / batches, confusion, probe.results())


def build_network(cfg: Config, checkpoint: str | None = None, seed: int = 0) -> BaseModel:
    """Build a config's detector in training mode, initialised or loaded in full.

    Batch norm uses the statistics of each mini-batch, so that the gradients are those that training follows. Stored
    statistics would not do: before training they are 0 and 1 whatever the network computes, and the same network would
    be measured in two modes.

    Raises:
        UsageError: If the checkpoint does not fit.
    """
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    set_random_seed(seed)
    model = MODELS.build(cfg.model)
    if checkpoint:
        load_in_full(model, checkpoint, cfg.filename)
    else:
        logger = MMLogger.get_current_instance()
        level = logger.level
        logger.setLevel('WARNING')  # mmengine would print where each of the weights comes from
        model.init_weights()
        logger.setLevel(level)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    return model.to(device, torch.float32, memory_format=torch.channels_last).train()


def train_batches(cfg: Config, batches: int, seed: int) -> Iterator[dict]:
    """Yield the first mini-batches that the config's train data loader gives with a seed.

    Raises:
        UsageError: If there are fewer.
    """
    set_random_seed(seed)
    loader = iter(Runner.build_dataloader(cfg.train_dataloader, seed=seed))
    for index in range(batches):
        batch = next(loader, None)
        if batch is None:
            raise UsageError(f'--batches {batches}: the train data loader of {cfg.filename} gives only {index}.')
        yield batch
