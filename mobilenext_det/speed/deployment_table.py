"""The rows of the deployment benchmark as a table in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mobilenext_det.display.tables import markdown_table, percent, render

from .forms import FORM_NAMES

_WORDS = ('network', 'form', 'precision')
_NUMBERS = ('MB', 'mAP 11points', 'mAP area')
_PER_THREADS = ('ms', 'file', 'stock')
_MEMORY = 'MiB / own'
_MEANING = """\
ms: median / 95th percentile, for one picture, of the network call on prepared input, normalisation and suppression \
included. file: median ms from picture file to boxes: decoding, resizing, network, suppression; the files are in the \
system's cache. stock: how many times as long stock MMDetection's `inference_detector` takes for that, timed in the \
same rounds; its random weights find nothing, so that its suppression costs nothing. (1) and (2): threads. Every form \
and number of threads has a process of its own; all processes take turns.

MB: the file that is run, for PyTorch the checkpoint. mAP: percent.

MiB: peak resident memory of the process, the larger of the two; own: without what Python and the \
imports took before the file was opened, which is numpy, OpenCV and ONNX Runtime for ONNX Runtime, and PyTorch and \
MMDetection, too, for all others: ExecuTorch's Python binding imports PyTorch, on a phone it does not."""


def deploy_table(rows: Sequence[dict[str, Any]]) -> str:
    """One row a network, form and precision, and below what the numbers mean and where they were measured.

    Args:
        rows: As in `deploy.json`.
    """
    threads = list(rows[0]['threads'])
    machines = list(dict.fromkeys(_machine(row) for row in rows))
    timed = [f'{what} ({n})' for what in _PER_THREADS for n in threads]
    words = (*_WORDS, *['on'] * (len(machines) > 1))
    table = markdown_table(words, [*_NUMBERS, *timed, _MEMORY])
    for row in rows:
        own = [_name(row, rows), FORM_NAMES[row['form']], row['precision']]
        own += [str(1 + machines.index(_machine(row)))] * (len(machines) > 1)
        table.add_row(*own, *_cells(row))
    numbered = [f'{number}: {machine}' for number, machine in enumerate(machines, 1)]
    where = '; '.join(numbered) if len(machines) > 1 else machines[0]
    return f'{render(table)}\n\n{_MEANING}\n\nMachine: {where}.'


def _name(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> str:
    """The config's name, with the digest of the weights if there are rows of others."""
    weights = {other['weights'] for other in rows if other['network'] == row['network']}
    return f'{row["network"]}-{row["weights"]}' if len(weights) > 1 else row['network']


def _cells(row: dict[str, Any]) -> list[str]:
    timed = row['threads'].values()
    size = '-' if row['file_bytes'] is None else f'{row["file_bytes"] / 1e6:.2f}'
    scores = ['-' if row[key] is None else percent(row[key]) for key in ('mAP_11points', 'mAP_area')]
    network = [f'{one["network_ms_p50"]:.1f} / {one["network_ms_p95"]:.1f}' for one in timed]
    file = [f'{one["file_ms_p50"]:.1f}' for one in timed]
    stock = ['-' if one['times_stock'] is None else f'{one["times_stock"]:.2f}' for one in timed]
    return [size, *scores, *network, *file, *stock, _memory(list(timed))]


def _memory(timed: list[dict[str, float | None]]) -> str:
    if any(one['peak_mib'] is None for one in timed):
        return '-'
    largest = max(timed, key=lambda one: one['peak_mib'])
    return f'{largest["peak_mib"]:.0f} / {largest["peak_mib"] - largest["imports_mib"]:.0f}'


def _machine(row: dict[str, Any]) -> str:
    machine = row['machine']
    packages = {'onnxruntime': 'ONNX Runtime', 'executorch': 'ExecuTorch', 'torch': 'PyTorch', 'mmdet': 'MMDetection'}
    versions = [f'{name} {machine[key]}' for key, name in packages.items() if machine[key]]
    return f'{", ".join([machine["cpu"], str(machine["cores"]) + " cores", *versions])}; {row["pictures"]} pictures'
