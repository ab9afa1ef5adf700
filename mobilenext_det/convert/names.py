"""Which layer of another build is which of ours: names of layers, ours to theirs.

Ours are read off the network itself, so that every width and form of block is covered by the same few lines.
"""

from __future__ import annotations

from mmcv.cnn import ConvModule
from mmdet.models.layers import InvertedResidual
from torch import nn

from mobilenext_det.models import MobileNeXt, SSDLiteHead, SSDLiteNeck, TappedMobileNetV2

Names = dict[str, str]


def in_sequence(module: nn.Module, ours: str, theirs: str) -> Names:
    """Name the layers of a module whose counterpart is one flat ``nn.Sequential``.

    Args:
        module: Our module, whose layers run in the order in which they are registered.
        ours: Its name.
        theirs: Name of the Sequential.
    """
    leaves = [
        name for name, leaf in module.named_modules() if not list(leaf.children()) and not isinstance(leaf, nn.Identity)
    ]
    return {f'{ours}.{name}': f'{theirs}.{index}' for index, name in enumerate(leaves)}


def mobilenext(backbone: MobileNeXt, ours: str, theirs: str) -> Names:
    """Name the layers in the MobileNeXt authors' build: ``N.0`` and ``N.1`` of the stem, ``N.conv.M`` of blocks."""
    names = in_sequence(backbone.stem, f'{ours}.stem', f'{theirs}.0')
    blocks = [
        (f'{i}.{j}', block) for i, stage in enumerate(backbone.stages) for j, block in enumerate(stage.children())
    ]
    for number, (name, block) in enumerate(blocks, 1):
        names |= in_sequence(block, f'{ours}.stages.{name}', f'{theirs}.{number}.conv')
    return names


def torchvision_block(block: InvertedResidual, ours: str, theirs: str) -> Names:
    """Name the layers of an inverted residual in torchvision's build: all but the last convolution are nested."""
    *nested, (last, _) = _convolutions(block)
    names: Names = {}
    for index, (name, conv) in enumerate(nested):
        names |= in_sequence(conv, f'{ours}.{name}', f'{theirs}.conv.{index}')
    names[f'{ours}.{last}.conv'] = f'{theirs}.conv.{len(nested)}'
    names[f'{ours}.{last}.bn'] = f'{theirs}.conv.{len(nested) + 1}'
    return names


def torchvision(backbone: TappedMobileNetV2, ours: str, theirs: str) -> Names:
    """Name the layers of MobileNetV2 in torchvision's build, which others follow."""
    names = in_sequence(backbone.conv1, f'{ours}.conv1', f'{theirs}.0')
    blocks = _blocks(backbone)
    for number, (name, block) in enumerate(blocks, 1):
        names |= torchvision_block(block, f'{ours}.{name}', f'{theirs}.{number}')
    return names | in_sequence(backbone.conv2, f'{ours}.conv2', f'{theirs}.{len(blocks) + 1}')


def mmpretrain(backbone: TappedMobileNetV2, ours: str, theirs: str) -> Names:
    """Name the layers of MobileNetV2 in mmpretrain's build: it numbers the convolutions of a block."""
    names = {
        f'{ours}.{conv}.{leaf}': f'{theirs}.{conv}.{leaf}' for conv in ('conv1', 'conv2') for leaf in ('conv', 'bn')
    }
    for block_name, block in _blocks(backbone):
        for index, (name, _) in enumerate(_convolutions(block)):
            for leaf in ('conv', 'bn'):
                names[f'{ours}.{block_name}.{name}.{leaf}'] = f'{theirs}.{block_name}.conv.{index}.{leaf}'
    return names


def extra_levels(neck: SSDLiteNeck, ours: str, theirs: str) -> Names:
    """Name the layers of the authors' extra levels, which go with either backbone."""
    names: Names = {}
    for level, block in enumerate(neck.extra_levels):
        name = torchvision_block if isinstance(block, InvertedResidual) else in_sequence
        names |= name(block, f'{ours}.extra_levels.{level}', f'{theirs}.{level}')
    return names


def predictors(head: SSDLiteHead, ours: str, theirs: str) -> Names:
    """Name the layers of the authors' head: ``N.conv.M``, and ``N`` on the last level, which is a convolution alone."""
    names: Names = {}
    for branch in ('cls', 'reg'):
        *separable, _ = levels = getattr(head, f'{branch}_convs')
        for level, predictor in enumerate(separable):
            names |= in_sequence(predictor, f'{ours}.{branch}_convs.{level}', f'{theirs}.{branch}_headers.{level}.conv')
        last = len(levels) - 1
        names[f'{ours}.{branch}_convs.{last}.0'] = f'{theirs}.{branch}_headers.{last}'
    return names


def _blocks(backbone: TappedMobileNetV2) -> list[tuple[str, InvertedResidual]]:
    return [(name, block) for name, block in backbone.named_modules() if isinstance(block, InvertedResidual)]


def _convolutions(block: InvertedResidual) -> list[tuple[str, ConvModule]]:
    return [(name, child) for name, child in block.named_children() if isinstance(child, ConvModule)]
