"""Trained detectors in every form that ships, side by side: what `tools/benchmark/deploy.py` calls."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mobilenext_det.engine.config import require_data
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically
from mobilenext_det.hardware import cpu_name

from .deployment_table import deploy_table
from .forms import FORMS, PRECISIONS, STOCK, Trained, make_forms, wanted
from .rounds import Timing, count_steps, take_turns

THREADS = (1, 2)
_KEY = ('network', 'weights', 'form', 'precision')
_PACKAGES = ('onnxruntime', 'executorch', 'torch', 'mmdet')
_FORMAT = 1


def benchmark(
    networks: Sequence[str],
    out: str,
    *,
    data_root: str | None = None,
    forms: Sequence[str] = FORMS,
    precisions: Sequence[str] = PRECISIONS,
    images: int = 100,
    judge: bool = True,
    stock: bool = False,
    cfg_options: Sequence[str] = (),
) -> dict[str, Any]:
    """Export detectors, judge and time them, and add their rows to the table in `out`.

    Args:
        networks: `CONFIG=CHECKPOINT` of each.
        out: Folder of the table, `deploy.md` and `deploy.json`. A row that is there already stays, unless it is of the
            same config, weights, form and precision as one that is measured now.
        data_root: Where the data is, instead of the configs'.
        forms: Of 'onnx', 'torchscript' and 'executorch'; PyTorch without export is always there.
        precisions: Of 'fp32' and 'int8'; PyTorch and TorchScript have no int8.
        images: Pictures to time, at most: the first ones of the first config's test set.
        judge: Whether to compute mAP on each config's test set.
        stock: Whether to time MMDetection's own SSDLite, too, and compare the others with it.
        cfg_options: `key=value` settings for all configs.

    Returns:
        What `deploy.json` holds.

    Raises:
        DeployError: If a picture cannot be read.
        UsageError: If something is missing, damaged, or cannot be exported.
    """
    stored = _stored_rows(Path(out, 'deploy.json'))
    detectors = [Trained.parse(given, cfg_options, data_root) for given in networks]
    for trained in detectors:
        require_data(trained.cfg, 'test_dataloader', *(['train_dataloader'] if 'int8' in precisions else []))
    rows = _measure(
        detectors, wanted(forms, precisions), detectors[0].pictures(images), Path(out, 'work'), judge, stock
    )
    result = dict(format=_FORMAT, rows=merge(stored, rows))
    for name, text in (('json', json.dumps(result, indent=1, allow_nan=False)), ('md', deploy_table(result['rows']))):
        write_atomically(f'{text}\n'.encode(), Path(out, f'deploy.{name}'))
    return result


def _measure(
    detectors: Sequence[Trained],
    pairs: Sequence[tuple[str, str]],
    pictures: Sequence[str],
    work: Path,
    judge: bool,
    stock: bool,
) -> list[dict[str, Any]]:
    """Make all forms of all detectors, and time them together."""
    work.mkdir(parents=True, exist_ok=True)
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.completed} of {task.total}'))
    with (
        Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress,
        (work / 'output.log').open('w') as log,
        redirect_stdout(log),  # what exporters and MMDetection's test loop have to say
    ):
        making = progress.add_task('Exporting and judging' if judge else 'Exporting', total=0)
        made = [(_stock_row(), dict(form=STOCK))] if stock else []
        progress.update(making, total=len(detectors) * (1 + len(pairs)))
        for trained in detectors:
            for form in make_forms(trained, pairs, judge, work):
                made.append(form)
                progress.advance(making)
        jobs = [job | dict(threads=threads) for _, job in made for threads in THREADS]
        timing = progress.add_task('Timing', total=count_steps(jobs, pictures))
        timings = take_turns(jobs, pictures, lambda: progress.advance(timing))
    rows = [row for row, _ in made]
    for place, row in enumerate(rows):
        row |= dict(pictures=len(pictures), machine=_machine())
        mine = timings[place * len(THREADS) :]
        row['threads'] = {str(n): _numbers(timing) for n, timing in zip(THREADS, mine, strict=False)}
        for n, numbers in row['threads'].items():
            numbers['times_stock'] = rows[0]['threads'][n]['file_ms_p50'] / numbers['file_ms_p50'] if stock else None
    return rows


def _numbers(timing: Timing) -> dict[str, float | None]:
    p50, p95 = (float(value) for value in 1000 * np.percentile(timing.network, (50, 95)))
    file = float(1000 * np.median(timing.file))
    memory = dict(peak_mib=timing.peak_mib, imports_mib=timing.imports_mib)
    return dict(network_ms_p50=p50, network_ms_p95=p95, file_ms_p50=file) | memory


def _stock_row() -> dict[str, Any]:
    names = dict(network='MMDetection ssdlite_mobilenetv2', weights='random', form=STOCK, precision='fp32')
    return names | dict(checkpoint=None, file_bytes=None, mAP_11points=None, mAP_area=None)


def _machine() -> dict[str, Any]:
    return dict(cpu=cpu_name(), cores=os.cpu_count()) | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _stored_rows(path: Path) -> list[dict[str, Any]]:
    """Read the rows of an earlier run, if there is one."""
    if not path.exists():
        return []
    try:
        stored = json.loads(path.read_text())
        if stored['format'] != _FORMAT:
            raise ValueError(f'format {stored["format"]}')
        deploy_table(stored['rows'])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(
            f'{path} is no table of this version ({type(error).__name__}: {error}); delete it or name another --out.'
        ) from None
    return stored['rows']


def merge(stored: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put new rows in the place of stored ones of the same key, and the forms of a network below each other.

    Args:
        stored: Rows of an earlier table.
        new: Rows that were measured now.
    """
    by_key = {tuple(row[key] for key in _KEY): row for row in [*stored, *new]}
    networks = list(dict.fromkeys(key[:2] for key in by_key))
    forms = (STOCK, 'pytorch', *FORMS)
    order = sorted(by_key, key=lambda key: (networks.index(key[:2]), forms.index(key[2]), PRECISIONS.index(key[3])))
    return [by_key[key] for key in order]
