"""Complexity as tables: of one detector, of several, and of the backbones beside the paper's own figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from mmdet.registry import MODELS
from torch import nn

from mobilenext_det.display.tables import markdown_table, render

from .complexity import Layer, complexity, count_layers, count_madds, stage_of, sum_parts

# Millions of parameters and of multiply-adds at 224 pixels with the classifier, as the authors' README prints them.
PUBLISHED = {0.35: (1.8, 80), 0.5: (2.1, 110), 0.75: (2.5, 210), 1.0: (3.5, 300), 1.4: (6.1, 590)}
IMAGENET_CLASSES = 1000


def report(configs: Sequence[str], size: int | None = None, as_json: bool = False) -> str:
    """Return one detector by part and by layer, or several with a row each.

    Args:
        configs: The config files.
        size: Side of the square input in pixels, instead of the configs' own.
        as_json: Whether to return JSON: the parts of one detector, or of each by its config.
    """
    if as_json:
        results = {config: complexity(config, size) for config in configs}
        return json.dumps(results if len(configs) > 1 else results[configs[0]])
    if len(configs) == 1:
        layers = count_layers(configs[0], size)
        return f'{part_table(sum_parts(layers))}\n\n{layer_table(layers)}'
    return config_table({Path(config).stem: complexity(config, size) for config in configs})


def part_table(parts: dict[str, dict[str, int]]) -> str:
    """One row a part."""
    table = markdown_table(['part'], ['params', 'MAdds'])
    for part, counts in parts.items():
        table.add_row(part, _integer(counts['params']), _integer(counts['madds']))
    return render(table)


def layer_table(layers: Sequence[Layer]) -> str:
    """One row a layer; its stage stands with the first of each."""
    table = markdown_table(['stage', 'layer', 'operation'], ['params', 'MAdds'])
    before = None
    for layer in layers:
        stage = stage_of(layer.name)
        inner = layer.name.removeprefix(stage).removeprefix('.')
        shown = stage if stage != before else ''
        table.add_row(shown, inner, layer.kind, _integer(layer.params), _integer(layer.madds))
        before = stage
    return render(table)


def config_table(results: dict[str, dict[str, dict[str, int]]]) -> str:
    """One row a config, parameters and multiply-adds of each part."""
    parts = [*dict.fromkeys(part for result in results.values() for part in result if part != 'total'), 'total']
    table = markdown_table(['config'], [f'{part} {what}' for what in ('params', 'MAdds') for part in parts])
    for name, result in results.items():
        counts = (result.get(part, dict(params=0, madds=0))[what] for what in ('params', 'madds') for part in parts)
        table.add_row(name, *map(_integer, counts))
    return render(table)


def paper_table() -> str:
    """Every width of both backbones, as a classifier at 224 pixels and as a backbone at 320, beside the paper's table.

    The last column has what the counts, rounded as the paper rounds, have more or less than the paper.
    """
    counts = ('backbone params', 'MAdds, 224', 'MAdds, 320', 'with fc params', 'with fc MAdds, 224')
    table = markdown_table(['network'], ['width', *counts, 'published', 'mismatch'])
    for network in ('MobileNeXt', 'MobileNetV2'):
        for width, published in PUBLISHED.items():
            params, madds, madds_320, channels = count_backbone(network, width)
            classifier = nn.Linear(channels, IMAGENET_CLASSES)
            total = params + sum(p.numel() for p in classifier.parameters()), madds + classifier.weight.numel()
            quoted = (_quote(*published), _mismatch(*total, *published)) if network == 'MobileNeXt' else ('', '')
            table.add_row(network, str(width), *map(_integer, (params, madds, madds_320, *total)), *quoted)
    return render(table)


def count_backbone(network: str, width: float) -> tuple[int, int, int, int]:
    """Return a backbone's parameters, its multiply-adds at 224 and at 320 pixels, and its last channels.

    Args:
        network: Its name in MMDetection's registry.
        width: Width multiplier.
    """
    with torch.device('meta'):  # shapes are all that counts
        backbone = MODELS.build(dict(type=network, widen_factor=width))
        backbone.eval()
        at_224, at_320 = (count_madds(backbone, torch.empty(1, 3, side, side)).total() for side in (224, 320))
        channels = backbone(torch.empty(1, 3, 32, 32))[-1].shape[1]
    return sum(p.numel() for p in backbone.parameters()), at_224, at_320, channels


def _mismatch(params: int, madds: int, published_params: float, published_madds: float) -> str:
    """Name what differs once parameters are rounded to 0.1 million and multiply-adds to 10 million."""
    differences = {
        'params': round(round(params / 1e6, 1) - published_params, 1),
        'MAdds': round(madds / 1e7) * 10 - published_madds,
    }
    return ', '.join(f'{what} {value:+g}M' for what, value in differences.items() if value) or 'none'


def _quote(params: float, madds: float) -> str:
    return f'{params}M / {madds}M'


def _integer(value: int) -> str:
    return f'{value:,}'
