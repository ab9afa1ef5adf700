"""Starting from a detector of other classes and levels, and not from its backbone alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mmengine.logging import print_log
from mmengine.model import BaseModule, update_init_info
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor, nn

from mobilenext_det.errors import UsageError

from .checkpoint_fit import mismatches
from .weights import Weights, read_weights

LEVEL = re.compile(r'(bbox_head\.(?:cls|reg)_convs\.)(\d+)(\..*)')
SCORES = re.compile(r'bbox_head\.cls_convs\.\d+\.\d+\.(?:weight|bias)')  # what gives a level's scores


@WEIGHT_INITIALIZERS.register_module()
class PretrainedDetector:
    """``init_cfg`` of `SSDLite`: what an `SSDLite` of other classes has learnt, or a backbone.

    - The backbone comes from the file in full.
    - So does the neck. Levels are matched from the last one, so that a network with a level at stride 8, which the
      file's has not, takes the others, and that level is new.
    - A class that the file knows by the same name keeps its scores, as does the background; other classes are new.

    What is new, in a backbone's file all but the backbone, is initialised as by itself. The log says how much it is.

    Args:
        checkpoint: The file.
        classes: Names of the network's classes.
    """

    def __init__(self, checkpoint: str, classes: Sequence[str] = ()) -> None:
        self.checkpoint, self.classes = checkpoint, tuple(classes)

    def __call__(self, module: nn.Module) -> None:
        """Initialise a detector.

        Args:
            module: The `SSDLite`.

        Raises:
            CheckpointError: If the file is damaged or holds no weights.
            UsageError: If there is no such file, or its backbone does not fit.
        """
        for child in module.children():
            if isinstance(child, BaseModule):
                child.init_weights()  # here, as mmengine would do so over the file's weights
        weights = read_weights(self.checkpoint)
        self._require_backbone(module, weights.state_dict)
        own = module.state_dict()
        start = self._start(own, weights)
        module.load_state_dict(start, strict=False)
        update_init_info(module, f'PretrainedDetector: from {self.checkpoint}')  # in mmengine's listing
        new = sorted({name.rpartition('.')[0] for name in own if name not in start})
        print_log(
            f'{len(start)} of {len(own)} tensors start from {self.checkpoint}. New: {", ".join(new) or "none"}.',
            logger='current',
        )

    def _require_backbone(self, module: nn.Module, weights: Mapping[str, Tensor]) -> None:
        prefix = 'backbone.'
        own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        unfit = mismatches(module.get_submodule('backbone'), own).both
        if unfit:
            raise UsageError(
                f'{self.checkpoint} does not fit the backbone of the config: {len(unfit)} weights differ or are '
                f'missing, such as {unfit[0]}; set pretrained to the file of a detector or a backbone of its width, or '
                'model.init_cfg to None to train from scratch.'
            )

    def _start(self, own: Mapping[str, Tensor], weights: Weights) -> dict[str, Tensor]:
        """Return those of a network's tensors that the file has something for."""
        saved, known = weights
        added = _levels(own) - _levels(saved)
        start = {}
        for name, value in own.items():
            source = saved.get(LEVEL.sub(lambda match: f'{match[1]}{int(match[2]) - added}{match[3]}', name))
            if source is not None and SCORES.fullmatch(name):
                source = self._scores(value, source, known)
            if source is not None and source.shape == value.shape:
                start[name] = source
        return start

    def _scores(self, own: Tensor, source: Tensor, known: Sequence[str]) -> Tensor | None:
        """Return weights or biases (priors * (classes + 1), ...) of scores: of a class by its name, background last.

        None if the file does not say its classes, or has other numbers of priors.
        """
        priors = len(own) // (len(self.classes) + 1)
        if not known or len(source) != priors * (len(known) + 1):
            return None
        scores = own.clone().unflatten(0, (priors, -1))
        learnt = source.to(own.dtype).unflatten(0, (priors, -1))
        scores[:, -1] = learnt[:, -1]
        for index, name in enumerate(self.classes):
            if name in known:
                scores[:, index] = learnt[:, known.index(name)]
        return scores.flatten(0, 1)


def _levels(weights: Mapping[str, Tensor]) -> int:
    """Return how many levels a head has; 0 without a head."""
    return len({match[2] for match in map(LEVEL.fullmatch, weights) if match})
