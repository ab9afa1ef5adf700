"""Parameters and multiply-adds (MAdds) of a config's detector or classifier, by part and by layer.

Parameters are all trainable scalars: convolution weights, biases and batch norm's scale and shift. MAdds are the
multiplications of convolutions and matrix products for one image; biases, batch norm and activations cost none. Both
are exact integers. PyTorch's own `FlopCounterMode` counts; it counts a multiply-add as two operations.
"""

from __future__ import annotations

import copy
import math
from collections import Counter
from typing import Any, NamedTuple

import torch
from mmcv.cnn import ConvModule
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mobilenext_det.engine.config import innermost_datasets
from mobilenext_det.errors import UsageError


class Count(NamedTuple):
    """Cost of a part of a network.

    Attributes:
        params: Trainable scalars.
        madds: Multiply-adds for one image.
    """

    params: int
    madds: int


class Layer(NamedTuple):
    """Cost of one layer: a module with weights of its own, with its batch norm where mmcv's `ConvModule` joins the two.

    Attributes:
        name: Dotted name in the detector, such as 'backbone.stages.5.0.expand'.
        kind: Its operation, such as '3x3 depthwise'.
        params: Trainable scalars, those of its batch norm included.
        madds: Multiply-adds for one image, over all calls of the layer.
    """

    name: str
    kind: str
    params: int
    madds: int


class Complexity(NamedTuple):
    """Cost of a network.

    Attributes:
        layers: Its layers, in the order of its modules.
    """

    layers: list[Layer]

    @property
    def parts(self) -> dict[str, Count]:
        """Cost of 'backbone', 'neck', 'head' and 'total'.

        Everything named `..._head` is 'head'; parts of other names, as DETR's, keep theirs and come before the total. A
        part that the network lacks is 0.
        """
        params: Counter[str] = Counter()
        madds: Counter[str] = Counter()
        for layer in self.layers:
            params[part_of(layer.name)] += layer.params
            madds[part_of(layer.name)] += layer.madds
        parts = dict.fromkeys(('backbone', 'neck', 'head', *params))
        return {part: Count(params[part], madds[part]) for part in parts} | {
            'total': Count(params.total(), madds.total())
        }

    def as_dict(self) -> dict[str, dict[str, int]]:
        """Return the parts as plain numbers for JSON."""
        return {part: count._asdict() for part, count in self.parts.items()}


def complexity(cfg: Config, size: int | None = None) -> Complexity:
    """Count parameters and multiply-adds of a detector or classifier.

    The roi head of a two-stage detector is counted for as many proposals as its config lets through.

    Args:
        cfg: The config.
        size: Side of the square input in pixels; by default the input is as large as the config's test pipeline says.

    Raises:
        UsageError: If the config has no model, or does not say how large its input is.
    """
    if 'model' not in cfg:
        raise UsageError(f'{cfg.filename} has no model to count.')
    height, width = input_shape(cfg, size)
    model = build_model(cfg, size)
    metainfo = dict(img_shape=(height, width), ori_shape=(height, width), pad_shape=(height, width))
    sample = DetDataSample(metainfo=metainfo | dict(batch_input_shape=(height, width), scale_factor=(1.0, 1.0)))
    return Complexity(_layers(model, count_madds(model, torch.zeros(1, 3, height, width), [sample])))


def part_of(name: str) -> str:
    """Return the part of the detector that a dotted name belongs to."""
    part = name.partition('.')[0]
    return 'head' if part.endswith('head') else part


def stage_of(name: str) -> str:
    """Return the stage that a dotted name belongs to, such as 'backbone.stages.5' or 'backbone.layer6'."""
    part, *inner = name.split('.')
    numbered = len(inner) > 1 and inner[1].isdigit() and not inner[0][-1].isdigit()
    return '.'.join((part, *inner[: 2 if numbered else 1]))


def build_model(cfg: Config, size: int | None = None) -> nn.Module:
    """Build the network of a config, for inputs of another size where one is given."""
    init_default_scope(cfg.get('default_scope', 'mmdet'))
    network = copy.deepcopy(cfg.model)
    priors = network.get('bbox_head', {}).get('anchor_generator', {})
    if size and priors.get('type') == 'SSDLitePriorGenerator':
        priors.input_size = size
    proposals = (network.get('test_cfg') or {}).get('rpn')
    if proposals:
        proposals.nms.iou_threshold = 1.0  # suppresses nothing, so that their number does not hang on the weights
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return MODELS.build(network).eval()


def input_shape(cfg: Config, size: int | None = None) -> tuple[int, int]:
    """Return height and width of the network's input, padded as the data preprocessor pads it.

    Args:
        cfg: The config.
        size: Side of a square input, instead of the one that the test pipeline resizes to.

    Raises:
        UsageError: If the config's test pipeline resizes nothing, and no pipeline crops for a classifier.
    """
    test, train = (
        [step for _, data in innermost_datasets(cfg.get(f'{of}_dataloader') or {}) for step in data.get('pipeline', ())]
        for of in ('test', 'train')
    )
    scales = [t.scale for t in test if t.type in ('Resize', 'FixScaleResize', 'FixShapeResize') and 'scale' in t]
    # A classifier sees what is cropped; where images are tested as they are, that is their size.
    packed = [step for t in (*test, *train) if t.type == 'PackImage' for step in t.get('transforms', ())]
    scales += [(step.size, step.size) for step in packed if step.type.endswith('Crop')]
    if not size and not scales:
        raise UsageError(f'{cfg.filename} does not say how large its input is: add --size.')
    width, height = (size, size) if size else scales[0]
    divisor = (cfg.model.get('data_preprocessor') or {}).get('pad_size_divisor', 1)
    return math.ceil(height / divisor) * divisor, math.ceil(width / divisor) * divisor


def count_madds(model: nn.Module, *inputs: Any) -> Counter[str]:
    """Run a model once and return the multiply-adds of each module by its name, without those of modules within it.

    PyTorch's counter names modules by who called them first, which goes wrong for slices of an `nn.Sequential`. So
    what it counted between two changes of the running module is put down to that module by the name that the model
    has for it.

    Args:
        model: The model.
        inputs: What it is called with.
    """
    madds: Counter[str] = Counter()
    running, handles = [''], []
    with torch.no_grad(), FlopCounterMode(display=False) as counter:

        def settle() -> None:
            madds[running[-1]] += counter.get_total_flops() // 2 - madds.total()

        def enter(name: str) -> None:
            settle()
            running.append(name)

        def leave() -> None:
            settle()
            running.pop()

        for name, module in model.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(lambda *_, name=name: enter(name)))
                handles.append(module.register_forward_hook(lambda *_: leave()))
        model(*inputs)
        settle()
    for handle in handles:
        handle.remove()
    return madds


def _layers(model: nn.Module, madds: Counter[str]) -> list[Layer]:
    """Join each module's multiply-adds with its parameters, and batch norm with its convolution."""
    rows: dict[str, Layer] = {}
    joined = ''
    for name, module in model.named_modules():
        if isinstance(module, ConvModule):
            joined = name
        row = joined if joined and name.startswith(f'{joined}.') else name
        params = sum(p.numel() for p in module.parameters(recurse=False))
        if params or madds[name]:
            before = rows.get(row, Layer(row, _kind(module), 0, 0))
            rows[row] = before._replace(params=before.params + params, madds=before.madds + madds[name])
    return list(rows.values())


def _kind(module: nn.Module) -> str:
    if not isinstance(module, nn.Conv2d):
        return type(module).__name__
    kernel = 'x'.join(map(str, module.kernel_size))
    form = ' depthwise' if module.groups == module.in_channels > 1 else ''
    stride = f', stride {module.stride[0]}' if module.stride[0] > 1 else ''
    return f'{kernel}{form}, {module.in_channels} to {module.out_channels}{stride}'
