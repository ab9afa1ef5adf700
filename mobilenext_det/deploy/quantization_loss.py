"""Which part of a network loses how much in int8."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from mmengine.config import Config

from mobilenext_det.display.tables import Column, Table, number
from mobilenext_det.files import write_atomically
from mobilenext_det.inference.detector import Detector

from .network import ExportableNetwork
from .onnx_file import trace
from .pictures import calibration_images
from .quantization import nodes_by_part, quantize

_COLUMNS = (
    Column('network', words=True),
    Column('in int8', words=True),
    Column('probabilities, dB', partial(number, digits=1)),
    Column('boxes, dB', partial(number, digits=1)),
)


class Loss(NamedTuple):
    """What quantising one part does to the outputs, as signal over noise in decibels: more is better.

    Attributes:
        part: The part, or 'all'.
        probabilities: Of the probabilities of all priors and classes.
        boxes: Of the candidates' corners.
    """

    part: str
    probabilities: float
    boxes: float


def losses_by_part(model: onnx.ModelProto, calibration: np.ndarray, pictures: np.ndarray) -> list[Loss]:
    """Quantise one part at a time, then all, and compare the outputs with those in float.

    Args:
        model: A network that `trace` made.
        calibration: Pictures to calibrate with, RGB, uint8, (number, height, width, 3).
        pictures: Other pictures, to compare on.

    Returns:
        The parts in the order of the network, and 'all'.
    """
    wanted = _run(model, pictures)
    parts = list(nodes_by_part(model))
    outputs = {part: _run(quantize(model, calibration, [part]), pictures) for part in parts}
    outputs['all'] = _run(quantize(model, calibration), pictures)
    return [
        Loss(part, probabilities=decibels(wanted[1], found[1]), boxes=decibels(wanted[0], found[0]))
        for part, found in outputs.items()
    ]


def decibels(signal: np.ndarray, received: np.ndarray) -> float:
    """Return the ratio of the signal's power to that of the difference, in decibels; infinite if they are equal."""
    noise = np.square(received.astype(np.float64) - signal).sum()
    return float(10 * np.log10(np.square(signal, dtype=np.float64).sum() / noise)) if noise else np.inf


def quantization_losses(networks: Sequence[tuple[Config, str]], number: int = 32) -> dict[str, list[Loss]]:
    """Measure trained networks on pictures of their training sets.

    Args:
        networks: Config and checkpoint of each.
        number: Pictures to calibrate with; as many others are compared on.

    Returns:
        The losses by the name of the config.

    Raises:
        UsageError: If a file is missing or a network cannot be exported.
    """
    losses = {}
    for config, checkpoint in networks:
        detector = Detector(config, checkpoint)
        pictures = calibration_images(detector, 2 * number)
        model = trace(ExportableNetwork(detector))
        losses[Path(config.filename).stem] = losses_by_part(model, pictures[::2], pictures[1::2])
    return losses


def write(losses: dict[str, list[Loss]], path: Path) -> str:
    """Write the losses as JSON and return them as a Markdown table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: [loss._asdict() for loss in each] for name, each in losses.items()}
    write_atomically((json.dumps(rows, indent=1) + '\n').encode(), path)
    return Table(_COLUMNS, [(name, *loss) for name, each in losses.items() for loss in each]).markdown()


def _run(model: onnx.ModelProto, pictures: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=['CPUExecutionProvider'])
    return session.run(None, {'images': pictures})
