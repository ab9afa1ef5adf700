"""Starting from pretrained weights that a person has to fetch first, and saying so where they are not there."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule, PretrainedInit, initialize
from mmengine.registry import WEIGHT_INITIALIZERS

from mobilenext_det.errors import UsageError

from .checkpoint_fit import mismatches
from .safe_load import load_from_local


@WEIGHT_INITIALIZERS.register_module()
class PretrainedIfThere(PretrainedInit):
    """``init_cfg`` of a backbone: 'Pretrained' if the file is there, else a warning and what it does by itself.

    Unlike 'Pretrained' it refuses a file that does not fit in full.

    Args:
        checkpoint: The file.
        prefix: What the backbone's weights are called by in it.
        map_location: As for 'Pretrained'.
    """

    def __init__(self, checkpoint: str, prefix: str = 'backbone.', map_location: str = 'cpu') -> None:
        super().__init__(checkpoint, prefix, map_location)

    def __call__(self, module: BaseModule) -> None:
        """Initialise a backbone.

        Args:
            module: The backbone; without the file, one that can be built without arguments.

        Raises:
            UsageError: If the file is no checkpoint, or does not fit.
        """
        if Path(self.checkpoint).is_file():
            self._load(module)
        else:
            self._do_without(module)

    def _load(self, module: BaseModule) -> None:
        saved = load_from_local(self.checkpoint, self.map_location)
        weights = saved.get('state_dict', saved) if isinstance(saved, dict) else {}
        own = {name.removeprefix(self.prefix): w for name, w in weights.items() if name.startswith(self.prefix)}
        unfit = mismatches(module, own).both
        if unfit:
            path = Path(self.checkpoint)
            other = path.with_name(f'{path.stem}_converted{path.suffix}')  # this one may be the source
            raise UsageError(
                f'{self.checkpoint} does not fit the {type(module).__name__} of the config: {len(unfit)} weights '
                f'differ or are missing, such as {unfit[0]}; give its backbone init_cfg=None, or another file, which '
                f'`python tools/convert_weights.py SOURCE {other}` makes of weights for it.'
            )
        super().__call__(module)
        # What follows takes weights for pretrained by this name, and mmengine would initialise the children, which for
        # 'Pretrained' it does first (mmengine#691).
        module.init_cfg = dict(type='Pretrained', checkpoint=self.checkpoint, prefix=self.prefix)
        for child in module.children():
            child.is_init = True

    def _do_without(self, module: BaseModule) -> None:
        print_log(
            f'There is no {self.checkpoint}: {type(module).__name__} trains from scratch, which costs much (reported '
            'for SSD on VOC: 57 instead of 67.5 mAP, qfgaohao/pytorch-ssd#11). `python tools/convert_weights.py SOURCE '
            f'{self.checkpoint}` makes it of ImageNet weights; init_cfg=None trains from scratch without this warning.',
            logger='current',
            level=logging.WARNING,
        )
        with torch.device('meta'):
            module.init_cfg = type(module)().init_cfg
        initialize(module, module.init_cfg)
