"""Class lists that have to agree: of data sets, checkpoints and networks, which know classes by their positions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from torch import nn

from mobilenext_det.errors import UsageError

from .checkpoint_fit import unwrapped


def saved_classes(checkpoint: Mapping) -> tuple[str, ...]:
    """Return the class names in a checkpoint's ``meta``, also as MMDetection 2 wrote them; none if it does not say."""
    meta = checkpoint.get('meta') or {}
    found = {key.lower(): value for key, value in (meta | (meta.get('dataset_meta') or {})).items()}.get('classes')
    return (found,) if isinstance(found, str) else tuple(found or ())


def require_same_classes(lists: Mapping[str, Sequence[str]]) -> None:
    """Refuse class lists of which two differ, be it in their order alone (mmdetection#7720, #10675, #11704).

    Args:
        lists: The class names by what has them; an empty list says nothing.

    Raises:
        UsageError: The sentence has both lists.
    """
    known = [(name, tuple(classes)) for name, classes in lists.items() if classes]
    for name, classes in known[1:]:
        first, expected = known[0]
        if classes != expected:
            raise UsageError(
                f'The classes of {name} are {classes}, those of {first} are {expected}: '
                f'{_difference(classes, expected)}. A network knows a class by its position, so give both one list, '
                'in one order (metainfo=dict(classes=...) of the data sets).'
            )


def require_num_classes(model: nn.Module, classes: Sequence[str], source: str) -> None:
    """Refuse a network for another number of classes than there are.

    Args:
        model: The network.
        classes: The class names; an empty list says nothing.
        source: What has them.

    Raises:
        UsageError: The sentence names the setting.
    """
    if not classes:
        return
    for name, module in model.named_modules():
        number = getattr(module, 'num_classes', None)
        if type(number) is int and _counts_classes(name, module) and number != len(classes):
            raise UsageError(
                f'{name or type(model).__name__} is for num_classes={number}, but {source} has {len(classes)} classes, '
                f'{tuple(classes)}: set model.{name}{"." if name else ""}num_classes={len(classes)}.'
            )


def _counts_classes(name: str, module: nn.Module) -> bool:
    """Leave out what MMDetection's own check does."""
    from mmcv.cnn import VGG
    from mmdet.models.roi_heads.mask_heads import FusedSemanticHead

    return not name.endswith('rpn_head') and not isinstance(module, VGG | FusedSemanticHead)


def _difference(classes: tuple[str, ...], expected: tuple[str, ...]) -> str:
    more, less = sorted(set(classes) - set(expected)), sorted(set(expected) - set(classes))
    if not more and not less:
        return 'the same names in another order'
    parts = (('only the first has', more), ('only the second has', less))
    return ', '.join(f'{text} {", ".join(names)}' for text, names in parts if names)


@HOOKS.register_module()
class ClassListHook(Hook):
    """Stop a run whose data sets, network and checkpoint do not mean the same by a class.

    Stock MMDetection goes by positions: with another order in the test set than in training it reports a mAP near zero,
    and a class beyond ``num_classes`` is trained as background.
    """

    priority = 'VERY_HIGH'

    def before_run(self, runner: Runner) -> None:
        """Compare the data sets with one another and with the network.

        Args:
            runner: The runner, with the loops that it is to run built.

        Raises:
            UsageError: If two lists differ, or the network is for another number of classes.
        """
        lists = _data_classes(runner)
        require_same_classes(lists)
        for name, classes in lists.items():
            require_num_classes(unwrapped(runner.model), classes, name)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare the data sets with the checkpoint.

        A training may start from the weights of other classes. What is loaded then is said.

        Args:
            runner: The runner.
            checkpoint: What was read.

        Raises:
            UsageError: If the lists differ in a test or a resumed run, or anywhere in their order alone.
        """
        name, saved = str(runner._load_from), saved_classes(checkpoint)
        lists = {source: classes for source, classes in _data_classes(runner).items() if classes}
        if not lists:
            return
        source, classes = next(iter(lists.items()))
        if not saved:
            runner.logger.warning(f'{name} does not name its classes: they are taken for those of {source}, {classes}.')
        elif _trains(runner) and not runner._resume and set(saved) != set(classes):
            runner.logger.warning(
                f'{name} knows the classes {saved}, this run trains {classes}: its weights are loaded where shapes are '
                'the same, those of its last layers too if the number of classes is.'
            )
        else:
            require_same_classes({name: saved, source: classes})


def _data_classes(runner: Runner) -> dict[str, tuple[str, ...]]:
    """Return the class names of the innermost data sets of all loops that are built."""
    loops = {name: getattr(runner, f'_{name}_loop') for name in ('train', 'val', 'test')}
    return {
        f'the {name} set{number}': tuple(getattr(dataset, 'metainfo', {}).get('classes') or ())
        for name, loop in loops.items()
        if isinstance(loop, BaseLoop)
        for number, dataset in _numbered(loop.dataloader.dataset)
    }


def _numbered(dataset: Any) -> Iterator[tuple[str, Any]]:
    """Yield the innermost data sets, with their numbers if there are several."""
    found = list(_innermost(dataset))
    yield from ((f"'s part {index}" if len(found) > 1 else '', part) for index, part in enumerate(found))


def _innermost(dataset: Any) -> Iterator[Any]:
    if hasattr(dataset, 'datasets'):
        for part in dataset.datasets:
            yield from _innermost(part)
    elif hasattr(dataset, 'dataset'):
        yield from _innermost(dataset.dataset)
    else:
        yield dataset


def _trains(runner: Runner) -> bool:
    return isinstance(runner._train_loop, BaseLoop)
