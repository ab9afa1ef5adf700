"""Detectors as ExecuTorch files, which phones run on their processors through XNNPACK."""

from __future__ import annotations

import copy
import json
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import nn
from torch.export import Dim

from mobilenext_det.files import write_atomically

from .network import ExportableNetwork
from .runtime import DeployError, Detector, Run, as_input

CALIBRATION_BATCH = 8


def export_executorch(network: ExportableNetwork, path: Path, calibration: np.ndarray | None = None) -> None:
    """Write a detector as one ExecuTorch file for XNNPACK.

    Its method `forward` takes one picture, uint8 (1, height, width, 3), RGB (with
    `float_input`, float32 (1, 3, height, width)), and returns candidates (1, priors, 4),
    corners as shares of the picture's width and height, and probabilities (1, priors, classes); XNNPACK has no
    suppression. Its method `description` takes nothing and returns the network's description as JSON.

    Args:
        network: The network.
        path: The file to write.
        calibration: Pictures as the network takes them, uint8 (M, height, width, 3), RGB, that show the range of every
            activation. With them convolutions and sums are computed in int8, weights having a scale for each channel;
            without, everything in float32.
    """
    from executorch.backends.xnnpack.partition.config import ALL_PARTITIONER_CONFIGS
    from executorch.backends.xnnpack.partition.config.generic_node_configs import SliceCopyConfig
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    # The slices of identity multipliers change the scale in int8, which XNNPACK refuses only as the file is loaded.
    lowered = [config for config in ALL_PARTITIONER_CONFIGS if calibration is None or config is not SliceCopyConfig]
    with _quiet(), flatbuffers_compiler():
        module = network if calibration is None else _quantise(network, calibration)
        program = to_edge_transform_and_lower(
            torch.export.export(module, (network.example(),)),
            partitioner=[XnnpackPartitioner(configs=lowered)],
            constant_methods=dict(description=json.dumps(network.description)),
        )
        write_atomically(program.to_executorch().buffer, path)


def _quantise(network: ExportableNetwork, calibration: np.ndarray) -> nn.Module:
    """Return the network with backbone, neck and head in int8; softmax, boxes and the scaling of pixels stay in float.

    The quantizer sees these parts alone, as it would take every concatenation, the boxes' too.
    """
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    layers = nn.Sequential(network.backbone, network.neck, network.head)
    # Two pictures: with one, PyTorch takes the batch for a constant.
    program = torch.export.export(
        layers, (torch.zeros(2, 3, network.fit.height, network.fit.width),), dynamic_shapes=[{0: Dim('batch')}]
    )
    quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
    observed = prepare_pt2e(program.module(), quantizer)

    quantised = copy.deepcopy(network)
    quantised.backbone, quantised.neck, quantised.head = observed, nn.Identity(), nn.Identity()
    inputs = torch.from_numpy(as_input(calibration, network.float_input))
    for pictures in track(inputs.split(CALIBRATION_BATCH), 'Calibration', transient=True):
        quantised(pictures)
    quantised.backbone = convert_pt2e(observed)
    return quantised


@contextmanager
def flatbuffers_compiler() -> Iterator[None]:
    """Let ExecuTorch find the compiler that comes with it: it looks on the PATH, where a venv need not be."""
    set_here = not (shutil.which('flatc') or os.environ.get('FLATC_EXECUTABLE'))
    if set_here:
        os.environ['FLATC_EXECUTABLE'] = str(files('executorch.data.bin') / 'flatc')
    try:
        yield
    finally:
        if set_here:
            del os.environ['FLATC_EXECUTABLE']


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep from the terminal what PyTorch and ExecuTorch say about their own use of what they have deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield


class ExecuTorchDetector(Detector):
    """An ExecuTorch file as a function from a picture to its detections, as the phone computes it.

    Args:
        path: The file, as `export_executorch` writes it.
        threads: Threads of ExecuTorch's pool, which all detectors of the process share; None leaves it as it is.
        providers: Not used, there is XNNPACK alone.

    Raises:
        DeployError: If the file is missing, damaged or not written by `export_executorch`.
    """

    def _open(self, threads: int | None, providers: Sequence[str]) -> tuple[dict[str, Any] | None, Run]:
        with _quiet():
            from executorch.extension.pybindings import portable_lib
            from executorch.runtime import Runtime, Verification
        if threads is not None:
            portable_lib._unsafe_reset_threadpool(threads)
        try:
            # Prebuilt ExecuTorch has no more than the minimal check and would say so at every file.
            program = Runtime.get().load_program(self.path, verification=Verification.Minimal)
            forward = program.load_method('forward')
            description = _describe(program)
        except (RuntimeError, KeyError) as error:
            reason = ' '.join(str(error).split())
            raise DeployError(
                f'{self.path} is no ExecuTorch file that can be run here ({reason}): export it again.'
            ) from None

        def run(batch: np.ndarray) -> list[np.ndarray]:
            outputs = [forward.execute([picture[None]]) for picture in torch.from_numpy(batch)]
            return [torch.cat(values).numpy() for values in zip(*outputs, strict=True)]

        return description, run


def _describe(program: Any) -> dict[str, Any] | None:
    """Read the description that `export_executorch` stored as JSON."""
    if 'description' not in program.method_names:
        return None
    (text,) = program.load_method('description').execute([])
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None
