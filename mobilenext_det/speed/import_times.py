"""Where the time of a program's imports goes, by package."""

from __future__ import annotations

import re
from collections import Counter

PACKAGES = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mobilenext_det', 'numpy', 'cv2', 'scipy')
PACKAGES += ('matplotlib', 'pycocotools', 'tensorboard', 'rich')
OTHERS = 'others'
_LINE = re.compile(r'^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$', re.MULTILINE)


def import_seconds(log: str) -> dict[str, float]:
    """Add up what `python -X importtime` prints, by package.

    Every module counts for its own package, whoever imports it, and without the modules that it imports: the sum is the
    time of all imports.

    Args:
        log: What was printed, among other lines.

    Returns:
        Seconds of each of `PACKAGES`, and of all others together.
    """
    spent = Counter(dict.fromkeys((*PACKAGES, OTHERS), 0))
    for microseconds, module in _LINE.findall(log):
        package = module.partition('.')[0]
        spent[package if package in PACKAGES else OTHERS] += int(microseconds)
    return {package: spent[package] / 1e6 for package in spent}
