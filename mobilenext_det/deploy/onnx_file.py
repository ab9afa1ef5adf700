"""Detectors as ONNX files, for ONNX Runtime and whatever else reads them."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnx.compose
import onnx.parser
import torch

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .network import ExportableNetwork
from .quantization import quantize

OPSETS = range(18, 24)  # what PyTorch's exporter writes and what ONNX's NonMaxSuppression and TopK here are written for

# Candidates of all classes that survive are ranked together. Unused rows have score 0, so that every picture of a
# batch has equally many.
_SUPPRESSION = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
suppression (float[batch, priors, 4] candidates, float[batch, priors, classes] probabilities)
    => (float[batch, {limit}, 4] boxes, float[batch, {limit}] scores, int64[batch, {limit}] labels)
<
    int64 limit = {{{limit}}}, int64[1] limits = {{{limit}}}, int64 priors = {{{priors}}}, int64[2] flat = {{0, -1}},
    int64[1] last = {{2}}, float iou_threshold = {{{iou_threshold}}}, float score_threshold = {{{score_threshold}}}
>
{{
    by_class = Transpose <perm = [0, 2, 1]> (probabilities)
    kept = NonMaxSuppression (candidates, by_class, limit, iou_threshold, score_threshold)
    kept_scores = GatherND (by_class, kept)
    shape = Shape (by_class)
    nothing = ConstantOfShape <value = float[1] {{0.0}}> (shape)
    remaining = ScatterND (nothing, kept, kept_scores)
    ranked = Reshape (remaining, flat)
    scores, places = TopK (ranked, limits)
    labels = Div (places, priors)
    prior = Mod (places, priors)
    index = Unsqueeze (prior, last)
    boxes = GatherND <batch_dims = 1> (candidates, index)
}}
"""


def export_onnx(
    network: ExportableNetwork,
    path: Path,
    nms: bool = True,
    opset: int = 20,
    calibration: np.ndarray | None = None,
) -> None:
    """Write a detector as one ONNX file.

    Its input `images` is (N, size, size, 3), uint8, RGB, N as wanted. Its outputs are `boxes` (N, k, 4), corners as
    shares of the picture's width and height, `scores` (N, k) and `labels` (N, k), best first; k is the same for all and
    rows that are not used have score 0. Without `nms` they are `candidates` (N, priors, 4) and `probabilities`
    (N, priors, classes). Metadata `mobilenext_det` is the network's description as JSON.

    Args:
        network: The network.
        path: The file to write.
        nms: Whether overlapping boxes are suppressed within the file.
        opset: Version of ONNX's operators.
        calibration: Training pictures, RGB, uint8, (number, size, size, 3): with them the network computes in int8.

    Raises:
        UsageError: If the opset is not one that can be written.
    """
    if opset not in OPSETS:
        raise UsageError(f'Opset {opset} cannot be written, only {OPSETS.start} to {OPSETS.stop - 1}.')
    model = trace(network, opset)
    if calibration is not None:
        model = quantize(model, calibration)
    if nms:
        model = onnx.compose.merge_models(model, _suppression(model, network), io_map=_same_names(model))
    onnx.helper.set_model_props(model, {'mobilenext_det': json.dumps(network.description)})
    onnx.checker.check_model(model, full_check=True)
    write_atomically(model.SerializeToString(), path)


def trace(network: ExportableNetwork, opset: int = 20) -> onnx.ModelProto:
    """Return the network as ONNX without suppression, with outputs `candidates` and `probabilities`."""
    size = network.description['input_size']
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # PyTorch's own use of what it has deprecated
        program = torch.onnx.export(
            network,
            # Two pictures: with one, the exporter takes the batch for a constant.
            (torch.zeros(2, size, size, 3, dtype=torch.uint8),),
            dynamo=True,
            verbose=False,
            opset_version=opset,
            input_names=['images'],
            output_names=['candidates', 'probabilities'],
            dynamic_shapes=[{0: torch.export.Dim('batch')}],
        )
    assert program is not None  # as it is only without dynamo
    return program.model_proto


def _suppression(model: onnx.ModelProto, network: ExportableNetwork) -> onnx.ModelProto:
    description = network.description
    priors, classes = len(network.prior_sizes), len(description['classes'])
    return onnx.parser.parse_model(
        _SUPPRESSION.format(
            ir_version=model.ir_version,
            opset=model.opset_import[0].version,
            priors=priors,
            limit=min(description['max_detections'], priors * classes),
            iou_threshold=description['iou_threshold'],
            score_threshold=description['score_threshold'],
        )
    )


def _same_names(model: onnx.ModelProto) -> list[tuple[str, str]]:
    return [(output.name, output.name) for output in model.graph.output]
