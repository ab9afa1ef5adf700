"""One file in, one file out, and a table of what happened to every weight: what `tools/convert_weights.py` calls."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .accounting import convert
from .layouts import find_layout, make_target
from .next_step import next_step
from .reading import Source, read_source
from .targets import Target


def convert_weights(source: str, out: str, kind: str = 'auto') -> None:
    """Turn weights from elsewhere into a checkpoint of this package, and print what was done and what comes next.

    The checkpoint holds the weights under ``state_dict``, called as in a detector (a classifier's linear layer
    ``head.fc``, as in mmpretrain), and the source's kind, name and digest under ``meta``.

    Args:
        source: The file with the weights.
        out: The file to write.
        kind: One of `KINDS`, or 'auto' to find out; the name of a Paddle file then ends in .pdparams.

    Raises:
        UsageError: If the source is missing, damaged, could run code or is none of the kinds, or if a weight of it or
            of the network is left over.
    """
    paddle = kind == 'paddle' or (kind == 'auto' and Path(source).suffix == '.pdparams')
    read = read_source(source, paddle)
    if Path(out).exists() and Path(out).samefile(source):
        raise UsageError(f'{out} is the source itself: name another file to write.')
    layout = find_layout(read, kind)
    target = make_target(read, layout)
    weights = convert(read, target)
    kind = 'paddle' if paddle else layout.kind
    buffer = io.BytesIO()
    torch.save({'meta': dict(kind=kind, source=Path(source).name, sha256=read.sha256), 'state_dict': weights}, buffer)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(buffer.getvalue(), out)
    _report(read, target, kind, weights)
    print(f'Written: {out}. Next: {next_step(target, out)}')


def _report(source: Source, target: Target, kind: str, weights: dict[str, Tensor]) -> None:
    console = Console(markup=False, highlight=False)
    console.print(f'{source.file}: {target} ({kind})', soft_wrap=True)
    console.print(_parts_table(target, weights))
    if source.dropped:
        console.print(_dropped_table(source.dropped))


def _parts_table(target: Target, weights: dict[str, Tensor]) -> Table:
    table = Table('part')
    for heading in ('tensors', 'parameters'):
        table.add_column(heading, justify='right')
    tensors = Counter(name.partition('.')[0] for name in weights)
    for name, part in target.model.named_children():
        table.add_row(name, str(tensors[name]), str(sum(p.numel() for p in part.parameters())))
    return table


def _dropped_table(dropped: dict[str, str]) -> Table:
    table = Table('not converted', 'because it is')
    for name, reason in dropped.items():
        table.add_row(name, reason)
    return table
