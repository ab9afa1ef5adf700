"""MobileNeXt and SSDLite for MMDetection: importing this package registers its parts in MMDetection's registries."""

from mobilenext_det._mim import config_path
from mobilenext_det._stack import check_stack

__version__ = '0.1.0'
__all__ = ['__version__', 'config_path']

# First, so that a missing or unsuitable stack gets one sentence instead of a traceback from within the imports below.
check_stack()

from mobilenext_det import checkpoints, datasets, engine, evaluation, models, search  # noqa: E402, F401
