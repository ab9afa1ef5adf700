"""Weights from elsewhere: the MobileNeXt authors', torchvision's, mmpretrain's and Paddle's, with ours for names."""

from .command import convert_weights
from .layouts import KINDS

__all__ = ['KINDS', 'convert_weights']
