"""Every weight of a source file goes somewhere, and every weight of the target comes from somewhere."""

from __future__ import annotations

from torch import Tensor

from mobilenext_det.errors import UsageError

from .reading import Source
from .targets import Target


def convert(source: Source, target: Target) -> dict[str, Tensor]:
    """Hand the weights of a source file over to the layers of a target.

    Args:
        source: What the file holds.
        target: What it is to become.

    Returns:
        The target's ``state_dict``. It lacks batch norm's counters of batches, which nothing here
        reads, where the source does.

    Raises:
        UsageError: If a weight of either is without a counterpart, or two counterparts differ in shape.
    """
    wanted = {}
    for name, value in target.model.state_dict().items():
        layer, _, leaf = name.rpartition('.')
        wanted[f'{target.names[layer]}.{leaf}'] = name, value.shape
    unknown = [name for name in source.weights if name not in wanted]
    missing = [name for name in wanted if name not in source.weights and not name.endswith('.num_batches_tracked')]
    if unknown or missing:
        raise UsageError(f'{source.file} does not hold {target}: {_tell(unknown, missing)}.')
    converted = {}
    for theirs, (ours, shape) in wanted.items():
        if theirs not in source.weights:
            continue
        value = source.weights[theirs]
        if value.shape != shape:
            raise UsageError(
                f'{theirs} in {source.file} has the shape {tuple(value.shape)}, but in {target} {tuple(shape)}.'
            )
        # A copy, because a view would bring the whole tensor that it looks at into the file.
        converted[ours] = target.changes.get(ours, Tensor.clone)(value).contiguous()
    return converted


def _tell(unknown: list[str], missing: list[str]) -> str:
    parts = [
        f'{len(names)} weights {what}, such as {names[0]}'
        for names, what in ((unknown, 'have no place in it'), (missing, 'of it are missing'))
        if names
    ]
    return '; '.join(parts)
