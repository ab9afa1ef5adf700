"""Complexity as tables: of one detector, of several, and of the backbones beside the paper's own figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from mmdet.registry import MODELS
from torch import nn

from mobilenext_det.display.tables import Column, Table, number

from .complexity import Complexity, Count, Layer, count_madds, stage_of

# Millions of parameters and of multiply-adds at 224 pixels with the classifier, as the authors' README prints them.
PUBLISHED = {0.35: (1.8, 80), 0.5: (2.1, 110), 0.75: (2.5, 210), 1.0: (3.5, 300), 1.4: (6.1, 590)}
IMAGENET_CLASSES = 1000
_COUNTS = Column('params', number), Column('MAdds', number)


def complexity_table(networks: Mapping[str, Complexity]) -> str:
    """One network by part and by layer, or several with a row each.

    Args:
        networks: What was counted, by the path of the config.
    """
    if len(networks) > 1:
        return config_table({Path(config).stem: network.parts for config, network in networks.items()})
    (network,) = networks.values()
    return f'{part_table(network.parts)}\n\n{layer_table(network.layers)}'


def complexity_json(networks: Mapping[str, Complexity]) -> str:
    """The parts of one network as JSON, or those of several by the path of the config.

    Args:
        networks: What was counted, by the path of the config.
    """
    parts = {config: network.as_dict() for config, network in networks.items()}
    return json.dumps(parts if len(parts) > 1 else next(iter(parts.values())))


def part_table(parts: Mapping[str, Count]) -> str:
    """One row a part."""
    table = Table([Column('part', words=True), *_COUNTS])
    for part, count in parts.items():
        table.add_row(part, *count)
    return table.markdown()


def layer_table(layers: Sequence[Layer]) -> str:
    """One row a layer; its stage stands with the first of each."""
    table = Table([*(Column(heading, words=True) for heading in ('stage', 'layer', 'operation')), *_COUNTS])
    before = ''
    for layer in layers:
        stage = stage_of(layer.name)
        inner = layer.name.removeprefix(stage).removeprefix('.')
        shown = stage if stage != before else ''
        table.add_row(shown, inner, layer.kind, layer.params, layer.madds)
        before = stage
    return table.markdown()


def config_table(networks: Mapping[str, Mapping[str, Count]]) -> str:
    """One row a config, parameters and multiply-adds of each part."""
    parts = [*dict.fromkeys(part for counts in networks.values() for part in counts if part != 'total'), 'total']
    counts = [Column(f'{part} {what}', number) for what in ('params', 'MAdds') for part in parts]
    table = Table([Column('config', words=True), *counts])
    for name, of_network in networks.items():
        in_order = [of_network.get(part, Count(0, 0)) for part in parts]
        table.add_row(name, *(count.params for count in in_order), *(count.madds for count in in_order))
    return table.markdown()


def paper_table() -> str:
    """Every width of both backbones, as a classifier at 224 pixels and as a backbone at 320, beside the paper's table.

    The last column has what the counts, rounded as the paper rounds, have more or less than the paper.
    """
    headings = ('backbone params', 'MAdds, 224', 'MAdds, 320', 'with fc params', 'with fc MAdds, 224')
    counts = [Column(heading, number) for heading in headings]
    published_columns = [Column('published'), Column('mismatch')]
    table = Table([Column('network', words=True), Column('width'), *counts, *published_columns])
    for network in ('MobileNeXt', 'MobileNetV2'):
        for width, published in PUBLISHED.items():
            params, madds, madds_320, channels = count_backbone(network, width)
            classifier = nn.Linear(channels, IMAGENET_CLASSES)
            total = params + sum(p.numel() for p in classifier.parameters()), madds + classifier.weight.numel()
            quoted = (_quote(*published), _mismatch(*total, *published)) if network == 'MobileNeXt' else ('', '')
            table.add_row(network, width, params, madds, madds_320, *total, *quoted)
    return table.markdown()


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
