"""Detectors as ONNX files, for ONNX Runtime and whatever else reads them."""

from __future__ import annotations

import hashlib
import json
import logging
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnx.compose
import onnx.parser
import torch
from onnx.version_converter import convert_version

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .network import ExportableNetwork
from .quantization import quantize
from .runtime import as_input

OPSETS = range(11, 24)  # what NonMaxSuppression and TopK here are written for
DEFAULT_OPSET = 20
_OLDEST_TRACED = 18  # by PyTorch's exporter
_OLDEST_CONVERTED = 14  # by ONNX's version converter
_OLDEST_INT8 = 13  # the first whose DequantizeLinear has a scale for every channel

# Candidates of all classes that survive are ranked together. Unused rows have score 0, so that every picture of a
# batch has equally many.
_SUPPRESSION = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
suppression (float[{batch}, priors, 4] candidates, float[{batch}, priors, classes] probabilities)
    => (float[{batch}, {limit}, 4] boxes, float[{batch}, {limit}] scores, int64[{batch}, {limit}] labels)
<
    int64 limit = {{{limit}}}, int64[1] limits = {{{limit}}}, int64 priors = {{{priors}}}, int64[2] flat = {{0, -1}},
    int64[3] column = {{0, -1, 1}}, int64[3] corners = {{1, 1, 4}},
    float iou_threshold = {{{iou_threshold}}}, float score_threshold = {{{score_threshold}}}
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
    index = Reshape (prior, column)
    indices = Expand (index, corners)
    boxes = GatherElements <axis = 1> (candidates, indices)
}}
"""


def export_onnx(
    network: ExportableNetwork,
    path: Path,
    nms: bool = True,
    opset: int = DEFAULT_OPSET,
    calibration: np.ndarray | None = None,
    batch: int | None = None,
) -> None:
    """Write a detector as one ONNX file.

    Its input `images` is (N, height, width, 3), uint8, RGB, N as wanted; of a network with `float_input` it is
    (N, 3, height, width), float32. Its outputs are `boxes` (N, k, 4), corners as shares of the input's width and
    height, `scores` (N, k) and `labels` (N, k), best first; k is the same for all and rows that are not used have score
    0. Without `nms` they are `candidates` (N, priors, 4) and `probabilities` (N, priors, classes). Metadata
    `mobilenext_det` is the network's description as JSON, `batch` added.

    Args:
        network: The network.
        path: The file to write.
        nms: Whether overlapping boxes are suppressed within the file.
        opset: Version of ONNX's operators.
        calibration: Training pictures, RGB, uint8, (number, height, width, 3): with them the network computes in int8.
        batch: The number of pictures that the file takes at a time, and no other; None for any.

    Raises:
        UsageError: If the opset or the batch is not one that can be written.
    """
    first = OPSETS.start if calibration is None else _OLDEST_INT8
    if opset not in range(first, OPSETS.stop):
        what = '' if calibration is None else ' in int8'
        raise UsageError(f'Opset {opset} cannot be written{what}, only {first} to {OPSETS.stop - 1}.')
    if batch is not None and batch < 1:
        raise UsageError(f'A batch of {batch} cannot be written: name 1 or more.')
    model = trace(network, opset, batch)
    if calibration is not None:
        model = quantize(model, as_input(calibration, network.float_input))
    if nms:
        model = onnx.compose.merge_models(model, _suppression(model, network, batch), io_map=_same_names(model))
    onnx.helper.set_model_props(model, {'mobilenext_det': json.dumps(network.description | dict(batch=batch))})
    onnx.checker.check_model(model, full_check=True)
    write_atomically(_sealed(model.SerializeToString()), path)


def trace(network: ExportableNetwork, opset: int = DEFAULT_OPSET, batch: int | None = None) -> onnx.ModelProto:
    """Return the network as ONNX without suppression, with outputs `candidates` and `probabilities`.

    Args:
        network: The network.
        opset: Version of ONNX's operators.
        batch: Pictures at a time; None for any number.
    """
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # PyTorch's own use of what it has deprecated
        program = torch.onnx.export(
            network,
            # Two pictures for any number: with one, the exporter takes the batch for a constant.
            (network.example(batch or 2),),
            dynamo=True,
            verbose=False,
            opset_version=max(opset, _OLDEST_TRACED),
            input_names=['images'],
            output_names=['candidates', 'probabilities'],
            dynamic_shapes=[{0: torch.export.Dim('batch')}] if batch is None else None,
        )
    assert program is not None  # as it is only without dynamo
    return _with_opset(program.model_proto, opset)


def _with_opset(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """Return a network with older operators, in the oldest form of file that holds them, which old engines ask for.

    Before opset 14 the same operators mean the same for what is in a network here, but Reshape has no `allowzero`.
    """
    if opset < _OLDEST_TRACED:
        model = convert_version(model, max(opset, _OLDEST_CONVERTED))
    if opset < _OLDEST_CONVERTED:
        for node in model.graph.node:
            kept = [attribute for attribute in node.attribute if attribute.name != 'allowzero']
            del node.attribute[:]
            node.attribute.extend(kept)
        model.opset_import[0].version = opset
    model.ir_version = onnx.helper.find_min_ir_version_for(model.opset_import)
    return model


def _suppression(model: onnx.ModelProto, network: ExportableNetwork, batch: int | None) -> onnx.ModelProto:
    description = network.description
    priors, classes = len(network.prior_sizes), len(description['classes'])
    return onnx.parser.parse_model(
        _SUPPRESSION.format(
            ir_version=model.ir_version,
            opset=model.opset_import[0].version,
            batch=batch or 'batch',
            priors=priors,
            limit=min(description['max_detections'], priors * classes),
            iou_threshold=description['iou_threshold'],
            score_threshold=description['score_threshold'],
        )
    )


def _sealed(content: bytes) -> bytes:
    """Append a model's SHA-256, which `runtime.Detector` checks, as the last entry of its metadata.

    One flipped bit is another weight otherwise. What follows a message of protocol buffers is merged into it.
    """
    seal = onnx.ModelProto()
    onnx.helper.set_model_props(seal, {'sha256': hashlib.sha256(content).hexdigest()})
    return content + seal.SerializeToString()


def _same_names(model: onnx.ModelProto) -> list[tuple[str, str]]:
    return [(output.name, output.name) for output in model.graph.output]
