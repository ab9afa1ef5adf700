"""The config that trains on a data set: short, to be read and changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.config import Config

from mobilenext_det._mim import config_path
from mobilenext_det.files import write_atomically

from .labels import LabelledImage
from .plan import Plan

BASES = {6: 'own_data/ssdlite_mobilenext_own.py', 7: 'own_data/ssdlite_mobilenext_own_stride8.py'}
VALIDATIONS = 10


def length(max_iters: int) -> dict[str, int]:
    """Return the settings of a config that say how long it trains, warms up and waits until it validates.

    Args:
        max_iters: How many iterations to train.
    """
    return dict(
        max_iters=max_iters,
        warmup_iters=min(50, max(1, max_iters // 10)),
        val_interval=math.ceil(max_iters / VALIDATIONS),  # up: one more would follow the last at once
    )


def write_config(
    path: Path,
    folder: Path,
    parts: Mapping[str, Sequence[LabelledImage]],
    classes: Sequence[str],
    plan: Plan,
    max_iters: int,
) -> None:
    """Write the config.

    Args:
        path: The file; the lists of the parts lie beside it.
        folder: The images.
        parts: The images of each part.
        classes: The classes.
        plan: What was chosen.
        max_iters: How many iterations to train.
    """
    counts = ', '.join(f'{len(images)} {part}' for part, images in parts.items())
    judged = 'test' if 'test' in parts else 'val'
    epochs = max_iters * plan.batch_size / len(parts['train'])
    lengths = length(max_iters)
    priors, levels = plan.priors, len(plan.priors.strides)
    base = Config.fromfile(config_path(BASES[levels]))
    learning_rate = base.learning_rate * plan.batch_size / base.batch_size
    text = f'''"""{path.stem}: {counts} images. Written by tools/prepare.py, to be read and changed.

    python tools/train.py {path}
    python tools/detect.py --run work_dirs/{path.stem} IMAGE --out found
"""

_base_ = __import__('mobilenext_det').config_path({BASES[levels]!r})

data_root = {str(folder)!r}
labels = '{{{{ fileDirname }}}}'  # train.json, val.json
judged = {judged!r}  # the part that tools/test.py looks at
classes = {tuple(classes)!r}
input_size = {plan.input_size}
batch_size = {plan.batch_size}
max_iters = {max_iters}  # {epochs:.0f} epochs
warmup_iters = {lengths['warmup_iters']}
val_interval = {lengths['val_interval']}
learning_rate = {learning_rate:g}  # for a batch of {plan.batch_size}
crops = {plan.crops}  # train on cropped views, too

# Sizes of the priors of each level, in pixels of an input of 320, fitted to the objects.
min_sizes = {priors.min_sizes}
max_sizes = {priors.max_sizes}
ratios = ({priors.ratios[0]},) * {levels}
'''
    write_atomically(text.encode(), path)
