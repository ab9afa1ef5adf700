"""What the network of a genotype costs."""

from __future__ import annotations

import torch

from mobilenext_det.analysis.complexity import Count, count_madds

from .genotype import Genotype
from .network import SearchedNetwork


def cost(genotype: Genotype, channels: int, cells: int, image_size: int, num_classes: int = 10) -> Count:
    """Count parameters and multiply-adds of a genotype's classifier, without an auxiliary head.

    Args:
        genotype: The genotype.
        channels: Channels of a node in the first cells.
        cells: How many cells.
        image_size: Pixels of a side of the image.
        num_classes: Number of classes.
    """
    network = SearchedNetwork(genotype.as_dict(), channels=channels, cells=cells).eval()
    features = network.feature_info[-1]['channels']
    madds = count_madds(network, torch.zeros(1, 3, image_size, image_size)).total() + features * num_classes
    params = sum(parameter.numel() for parameter in network.parameters()) + (features + 1) * num_classes
    return Count(params, madds)
