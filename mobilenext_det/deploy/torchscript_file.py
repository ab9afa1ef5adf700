"""Detectors as TorchScript files, for programs that have PyTorch but not this package."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms

from mobilenext_det.files import write_atomically

from .network import ExportableNetwork
from .runtime import DeployError, Detector, Run

_DESCRIPTION = 'mobilenext_det.json'


class _Suppressed(nn.Module):
    """A network with its suppression; `boxes` (N, k, 4), `scores` and `labels` (N, k) as in the ONNX file."""

    def __init__(self, network: nn.Module, score_threshold: float, iou_threshold: float, limit: int) -> None:
        super().__init__()
        self.network = network
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold
        self.limit = limit

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        candidates, probabilities = self.network(images)
        boxes = candidates.new_zeros(len(images), self.limit, 4)
        scores = candidates.new_zeros(len(images), self.limit)
        labels = torch.zeros(len(images), self.limit, dtype=torch.int64)
        for i in range(len(images)):
            priors, classes = torch.where(probabilities[i] > self.score_threshold)
            own, sure = candidates[i][priors], probabilities[i][priors, classes]
            # torchvision sets classes apart by an offset that needs coordinates from 0 up.
            corners = own - own.min() if len(own) > 0 else own
            keep = batched_nms(corners, sure, classes, self.iou_threshold)[: self.limit]
            boxes[i, : len(keep)] = own[keep]
            scores[i, : len(keep)] = sure[keep]
            labels[i, : len(keep)] = classes[keep]
        return boxes, scores, labels


def export_torchscript(network: ExportableNetwork, path: Path, nms: bool = True) -> None:
    """Write a detector as one TorchScript file; `export_onnx` says what its inputs and outputs are.

    Args:
        network: The network.
        path: The file to write.
        nms: Whether overlapping boxes are suppressed within the file.
    """
    description = network.description
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # shapes that the trace takes for constants are constants here
        script = torch.jit.trace(network, network.example(2))
        if nms:
            limits = description['score_threshold'], description['iou_threshold'], description['max_detections']
            script = torch.jit.script(_Suppressed(script, *limits))
        script = torch.jit.freeze(script.eval())
        buffer = io.BytesIO()
        torch.jit.save(script, buffer, _extra_files={_DESCRIPTION: json.dumps(description).encode()})
    write_atomically(buffer.getvalue(), path)


class TorchScriptDetector(Detector):
    """A TorchScript file as a function from a picture to its detections; `Detector` says how it is used.

    `threads` sets PyTorch's threads for the whole process, as it has no others.
    """

    def _open(self, threads: int | None, providers: Sequence[str]) -> tuple[dict[str, Any] | None, Run]:
        if threads is not None:
            torch.set_num_threads(threads)
        extra = {_DESCRIPTION: ''}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')
                script = torch.jit.load(self.path, _extra_files=extra)
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise DeployError(f'{self.path} is no TorchScript file that can be run here ({reason}).') from None

        def run(batch: np.ndarray) -> list[np.ndarray]:
            with torch.inference_mode():
                return [output.numpy() for output in script(torch.from_numpy(batch))]

        return json.loads(extra[_DESCRIPTION] or 'null'), run
