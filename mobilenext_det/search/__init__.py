"""Searching for a network's cells, in the space of DARTS and in the same with the sandglass block."""

from .classifier import DropPathHook, SearchedClassifier
from .genotype import Genotype, read_genotype
from .halves import HalvesSampler
from .hooks import ArchitectureWarmupHook, GenotypeHook
from .network import SearchedNetwork
from .optimisers import BilevelOptimWrapperConstructor
from .supernet import Supernet

__all__ = [
    'ArchitectureWarmupHook',
    'BilevelOptimWrapperConstructor',
    'DropPathHook',
    'Genotype',
    'GenotypeHook',
    'HalvesSampler',
    'SearchedClassifier',
    'SearchedNetwork',
    'Supernet',
    'read_genotype',
]
