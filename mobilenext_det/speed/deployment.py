"""Trained detectors in every form that ships, side by side: what `tools/benchmark/deploy.py` calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mobilenext_det.display.tables import percent
from mobilenext_det.engine.config import require_data
from mobilenext_det.errors import UsageError

from .forms import (
    FORM_NAMES,
    FORMS,
    PRECISIONS,
    PYTORCH,
    STOCK,
    Form,
    Timing,
    Trained,
    make_forms,
    stock_job,
    time_pictures,
    wanted,
)
from .report import Machine, Report, table
from .turns import Job, progress

THREADS = (1, 2)
_FORMAT = 1
_STOCK_ROW: dict[str, Any] = dict(
    network='MMDetection ssdlite_mobilenetv2', weights='random', form=STOCK, precision='fp32'
)
_STOCK_ROW |= dict.fromkeys(('checkpoint', 'file_bytes', 'mAP_11points', 'mAP_area'))
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


@dataclass(frozen=True)
class Timed:
    """What one form takes with so many threads.

    Attributes:
        network_ms_p50: Median of the network call on a prepared picture.
        network_ms_p95: 95th percentile of the same.
        file_ms_p50: Median from a picture's file to its boxes.
        peak_mib: Peak resident memory; None where it is not known.
        imports_mib: What of this the imports took.
        times_stock: How many times as long stock takes from file to boxes; None if it was not timed.
    """

    network_ms_p50: float
    network_ms_p95: float
    file_ms_p50: float
    peak_mib: float | None
    imports_mib: float | None
    times_stock: float | None

    @classmethod
    def of(cls, timing: Timing, stock: Timing | None) -> Timed:
        """Turn seconds into milliseconds beside those of stock."""
        p50, p95 = (1000 * float(value) for value in np.percentile(timing.network, (50, 95)))
        file = float(np.median(timing.file))
        times_stock = None if stock is None else float(np.median(stock.file)) / file
        return cls(p50, p95, 1000 * file, timing.peak_mib, timing.imports_mib, times_stock)


@dataclass(frozen=True, kw_only=True)
class DeployRow(Form):
    """A form of a detector and what was measured of it.

    Attributes:
        weights: First digits of the checkpoint's SHA-256.
        checkpoint: Name of the weights' file.
        file_bytes: Size of the file that is run.
        mAP_11points: Share of 1; None where it was not computed.
        mAP_area: Likewise.
        pictures: How many were timed.
        machine: Where.
        threads: What was measured, by the number of threads.
    """

    weights: str
    checkpoint: str | None
    file_bytes: int | None
    mAP_11points: float | None
    mAP_area: float | None
    pictures: int
    machine: Machine
    threads: dict[str, Timed]

    @classmethod
    def read(cls, stored: dict[str, Any]) -> DeployRow:
        """Read what `asdict` wrote."""
        threads = {number: Timed(**timed) for number, timed in stored['threads'].items()}
        return cls(**stored | dict(machine=Machine(**stored['machine']), threads=threads))

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What there is one row of."""
        return self.network, self.weights, self.form, self.precision

    @property
    def where(self) -> str:
        """What was measured on, and with how much."""
        return f'{self.machine}; {self.pictures} pictures'


@dataclass(frozen=True)
class DeployReport(Report):
    """A row a network, form and precision."""

    format: int
    rows: list[DeployRow]

    @property
    def text(self) -> str:
        """The table, and below what the numbers mean and where they were measured."""
        machines = list(dict.fromkeys(row.where for row in self.rows))
        words: dict[str, Callable[[DeployRow], str]] = {
            'network': self._name,
            'form': lambda row: FORM_NAMES[row.form],
            'precision': lambda row: row.precision,
        }
        if len(machines) > 1:
            words['on'] = lambda row: str(1 + machines.index(row.where))
        numbers: dict[str, Callable[[DeployRow], str]] = {
            'MB': lambda row: '-' if row.file_bytes is None else f'{row.file_bytes / 1e6:.2f}',
            'mAP 11points': lambda row: percent(row.mAP_11points),
            'mAP area': lambda row: percent(row.mAP_area),
        }
        for heading, cell in (('ms', _network), ('file', _file), ('stock', _times_stock)):
            numbers |= {f'{heading} ({n})': _with_threads(n, cell) for n in self.rows[0].threads}
        numbers['MiB / own'] = _memory
        numbered = [f'{number}: {machine}' for number, machine in enumerate(machines, 1)]
        where = '; '.join(numbered) if len(machines) > 1 else machines[0]
        return f'{table(self.rows, words, numbers)}\n\n{_MEANING}\n\nMachine: {where}.'

    def _name(self, row: DeployRow) -> str:
        """The config's name, with the digest of the weights if there are rows of others."""
        weights = {other.weights for other in self.rows if other.network == row.network}
        return f'{row.network}-{row.weights}' if len(weights) > 1 else row.network


def _with_threads(number: str, cell: Callable[[Timed], str]) -> Callable[[DeployRow], str]:
    return lambda row: cell(row.threads[number])


def _network(timed: Timed) -> str:
    return f'{timed.network_ms_p50:.1f} / {timed.network_ms_p95:.1f}'


def _file(timed: Timed) -> str:
    return f'{timed.file_ms_p50:.1f}'


def _times_stock(timed: Timed) -> str:
    return '-' if timed.times_stock is None else f'{timed.times_stock:.2f}'


def _memory(row: DeployRow) -> str:
    known = [(one.peak_mib, one.imports_mib) for one in row.threads.values() if one.peak_mib and one.imports_mib]
    if len(known) < len(row.threads):
        return '-'
    peak, imports = max(known)
    return f'{peak:.0f} / {peak - imports:.0f}'


def benchmark(
    networks: Sequence[str],
    out: str,
    *,
    data_root: str | None = None,
    forms: Sequence[str] | None = None,
    precisions: Sequence[str] = PRECISIONS,
    images: int = 100,
    evaluate: bool = True,
    stock: bool = False,
    cfg_options: Sequence[str] = (),
) -> DeployReport:
    """Export detectors, evaluate and time them, and add their rows to the table in `out`.

    Args:
        networks: `CONFIG=CHECKPOINT` of each.
        out: Folder of the table, `deploy.md` and `deploy.json`. A row that is there already stays, unless it is of the
            same config, weights, form and precision as one that is measured now.
        data_root: Where the data is, instead of the configs'.
        forms: Of `FORMS`, None for all; PyTorch without export is always there.
        precisions: Of 'fp32' and 'int8'; PyTorch and TorchScript have no int8.
        images: Pictures to time, at most: the first ones of the first config's test set.
        evaluate: Whether to compute mAP on each config's test set.
        stock: Whether to time MMDetection's own SSDLite, too, and compare the others with it.
        cfg_options: `key=value` settings for all configs.

    Raises:
        DeployError: If a picture cannot be read.
        UsageError: If something is missing, damaged, or cannot be exported.
    """
    stored = _stored_rows(Path(out, 'deploy.json'))
    pairs = wanted(FORMS if forms is None else forms, precisions)
    detectors = [Trained.parse(given, cfg_options, data_root) for given in networks]
    for trained in detectors:
        require_data(trained.config, 'test_dataloader', *(['train_dataloader'] if 'int8' in precisions else []))
    pictures = detectors[0].pictures(images)
    rows = _measure(detectors, pairs, pictures, Path(out, 'work'), evaluate, stock)
    report = DeployReport(_FORMAT, merge(stored, rows))
    report.write(Path(out, 'deploy'))
    return report


def _measure(
    detectors: Sequence[Trained],
    pairs: Sequence[tuple[str, str]],
    pictures: Sequence[str],
    work: Path,
    evaluate: bool,
    stock: bool,
) -> list[DeployRow]:
    """Make all forms of all detectors, and time them together."""
    work.mkdir(parents=True, exist_ok=True)
    made: list[tuple[dict[str, Any], Job]] = [(_STOCK_ROW, stock_job())] if stock else []
    # What exporters and MMDetection's test loop have to say goes into a file.
    with (work / 'output.log').open('w') as log, redirect_stdout(log):
        total = len(detectors) * (1 + len(pairs))
        with progress('Exporting and evaluating' if evaluate else 'Exporting', total) as advance:
            for trained in detectors:
                for form, path, job in make_forms(trained, pairs, work):
                    scores = trained.evaluate(path, work) if evaluate else {}
                    made.append((asdict(form) | _known(trained, path, scores), job))
                    advance()
        jobs = {(place, n): replace(job, threads=n) for place, (_, job) in enumerate(made) for n in THREADS}
        timings = time_pictures(jobs, pictures)
    machine = Machine.here()
    rows = []
    for place, (known, _) in enumerate(made):
        threads = {str(n): Timed.of(timings[place, n], timings[0, n] if stock else None) for n in THREADS}
        rows.append(DeployRow(**known, pictures=len(pictures), machine=machine, threads=threads))
    return rows


def _known(trained: Trained, path: Path, scores: Mapping[str, float]) -> dict[str, Any]:
    """Return what is known of a form before it is timed."""
    maps = {key: scores.get(f'voc/{key}') for key in ('mAP_11points', 'mAP_area')}
    file = dict(checkpoint=trained.checkpoint.name, file_bytes=path.stat().st_size)
    return dict(weights=trained.weights, **file, **maps)


def _stored_rows(path: Path) -> list[DeployRow]:
    """Read the rows of an earlier run, if there is one."""
    if not path.exists():
        return []
    try:
        stored = json.loads(path.read_text())
        if stored['format'] != _FORMAT:
            raise ValueError(f'format {stored["format"]}')
        report = DeployReport(_FORMAT, [DeployRow.read(row) for row in stored['rows']])
        _ = report.text
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(
            f'{path} is no table of this version ({type(error).__name__}: {error}); delete it or name another --out.'
        ) from None
    return report.rows


def merge(stored: Sequence[DeployRow], new: Sequence[DeployRow]) -> list[DeployRow]:
    """Put new rows in the place of stored ones of the same key, and the forms of a network below each other.

    Args:
        stored: Rows of an earlier table.
        new: Rows that were measured now.
    """
    by_key = {row.key: row for row in [*stored, *new]}
    networks = list(dict.fromkeys(key[:2] for key in by_key))
    forms = (STOCK, PYTORCH, *FORMS)
    order = sorted(by_key, key=lambda key: (networks.index(key[:2]), forms.index(key[2]), PRECISIONS.index(key[3])))
    return [by_key[key] for key in order]
