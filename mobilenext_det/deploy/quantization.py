"""Post-training quantisation to int8 for ONNX Runtime: static, weights by channel, calibrated on training pictures."""

from __future__ import annotations

import copy
import logging
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from rich.progress import track

_PART = re.compile(r'backbone\.(stem|conv\d|\w+\.\d+)|neck|head\.\w+')


class _Pictures(CalibrationDataReader):
    """Calibration pictures one by one, each as often as a batch has places, with a progress bar."""

    def __init__(self, pictures: np.ndarray, batch: int) -> None:
        self._rest = iter(track(pictures, 'Calibration', transient=True))
        self._batch = batch

    def get_next(self) -> dict[str, np.ndarray] | None:
        picture = next(self._rest, None)
        return None if picture is None else {'images': np.stack([picture] * self._batch)}


def quantize(model: onnx.ModelProto, pictures: np.ndarray, parts: Sequence[str] | None = None) -> onnx.ModelProto:
    """Let the convolutions of a network, and the sums and activations between them, compute in 8 bits.

    Weights are int8, symmetric, with a scale for every output channel, as depthwise channels differ in range by orders
    of magnitude (1806.08342, section 3); activations are uint8, their ranges the least and largest value seen.
    Normalisation, softmax and box decoding stay in float, and what the predictors put out is not rounded: 256 values
    are few for logarithms of probabilities.

    Args:
        model: A network that `export_onnx` traced.
        pictures: As the network takes them, such as uint8 (number, height, width, 3).
        parts: The parts to quantise, of those that `nodes_by_part` names; None for all.

    Returns:
        The network with pairs of QuantizeLinear and DequantizeLinear, which ONNX Runtime turns into int8 kernels.
    """
    nodes = nodes_by_part(model)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        target = Path(folder, 'int8.onnx')
        quantize_static(
            copy.deepcopy(model),  # which ONNX Runtime moves the weights out of
            target,
            _Pictures(pictures, _batch(model)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=['Conv', 'Clip', 'Add', 'Concat'],
            nodes_to_quantize=[name for part in parts or nodes for name in nodes[part]],
        )
        return _keep_outputs(onnx.load(target))


def _batch(model: onnx.ModelProto) -> int:
    """Return how many pictures a network takes at a time: one, if any number will do."""
    return model.graph.input[0].type.tensor_type.shape.dim[0].dim_value or 1


def _keep_outputs(model: onnx.ModelProto) -> onnx.ModelProto:
    """Give the nodes behind the predictors the outputs of these as they are, not quantised and dequantised."""
    makers = {output: node for node in model.graph.node for output in node.output}
    for node in model.graph.node:
        if node.op_type == 'Transpose' and makers[node.input[0]].op_type == 'DequantizeLinear':
            rounded = makers[makers[node.input[0]].input[0]]
            node.input[0] = rounded.input[0]
    return model


def nodes_by_part(model: onnx.ModelProto) -> dict[str, list[str]]:
    """Name the nodes from the first convolution to the last, by the part of the network that they belong to.

    Parts are `backbone.stem`, `backbone.stages.0` (MobileNetV2: `backbone.layer1.0`) and so on, `neck`,
    `head.cls_convs` and `head.reg_convs`. A node that is no convolution belongs to the convolution before it.
    """
    nodes = list(model.graph.node)
    convolutions = [index for index, node in enumerate(nodes) if node.op_type == 'Conv']
    parts: dict[str, list[str]] = {}
    for node in nodes[convolutions[0] : convolutions[-1] + 1]:
        if node.op_type == 'Conv':
            named = _PART.match(node.input[1])
            part = named[0] if named else node.input[1]
        parts.setdefault(part, []).append(node.name)
    return parts


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the root logger from advising a pre-processing that has been done: shapes are known, batch norm folded."""
    logger = logging.getLogger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
