"""MobileNeXt and SSDLite for MMDetection: importing this package registers its parts in MMDetection's registries."""

from mobilenext_det._mim import config_path
from mobilenext_det._stack import check_stack

__version__ = '0.1.0'
__all__ = ['__version__', 'config_path']

check_stack()
