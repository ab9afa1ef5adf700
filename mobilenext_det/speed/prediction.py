"""Prediction beside stock MMDetection: a picture's file in, its boxes out, in processes that take turns."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope

from mobilenext_det._mim import config_path
from mobilenext_det.display.tables import markdown_table, render
from mobilenext_det.engine.config import load_config

from .commands import CONFIGS, NAMES, Settings, require
from .forms import PYTORCH, STOCK, Trained, make_forms
from .report import Report, machine, quartiles, steps
from .rounds import Timing, count_steps, take_turns
from .worker import find_nothing

_EXPORTED = (('onnx', 'fp32'), ('onnx', 'int8'))
_FORM_NAMES = {STOCK: 'PyTorch', PYTORCH: 'PyTorch', 'onnx': 'ONNX Runtime'}
Key = tuple[str, str, str]  # network, form, precision
_HEADLINE = ('mobilenext', PYTORCH, 'fp32')
_MEANING = """\
ms: median from a picture's file to its boxes, one picture at a time, and the quartiles; network: of it normalisation, \
network and suppression. times stock: ratio of the medians. MiB: peak resident memory of the process. {pictures} \
pictures, {threads} threads, a process each, which take turns of ten pictures. The weights are random in all, stock's \
too, and every prior is put down to background, so that there is nothing to suppress anywhere.

MobileNeXt takes {fp32:.3f} times as long as MobileNetV2 (expansion), both deployed, in fp32, and {int8:.3f} times in \
int8 (network)."""


def compare_prediction(data_root: str = 'data/toy', images: int = 60, threads: int = 2) -> Report:
    """Time stock MMDetection's SSDLite and ours: in PyTorch, and exported to ONNX in fp32 and int8.

    Args:
        data_root: Folder that holds VOC2007/: pictures to time, and others to calibrate int8 with.
        images: Pictures to time, at most: the first ones of the test set.
        threads: Threads of each process.

    Returns:
        Milliseconds.

    Raises:
        UsageError: If the data or a package is missing.
    """
    Settings(data_root).check()
    require(1, images=images, threads=threads)
    where = machine()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):  # what exporters have to say
        timings, pictures = _measure(Path(folder), data_root, images, threads)
    return report(timings, pictures, threads, where)


def report(timings: Mapping[Key, Timing], pictures: int, threads: int, where: str) -> Report:
    """Turn seconds into milliseconds beside those of stock.

    Args:
        timings: What each process measured, by network, form and precision; stock first.
        pictures: How many pictures were timed.
        threads: Threads of each process.
        where: The machine.
    """
    rows = []
    for (name, form, precision), timing in timings.items():
        low, middle, high = quartiles(1000 * timing.file)
        names = dict(network=name, form=form, precision=precision)
        spent = dict(ms=middle, quartiles=[low, high], network_ms=1000 * quartiles(timing.network)[1])
        ratio = rows[0]['ms'] / middle if rows else 1.0
        rows.append(names | spent | dict(ratio=ratio, peak_mib=timing.peak_mib))
    by_key = dict(zip(timings, rows, strict=True))
    deployed = {
        precision: by_key['mobilenext', form, precision]['network_ms']
        / by_key['mobilenetv2', form, precision]['network_ms']
        for form, precision in _EXPORTED
    }
    said = _MEANING.format(pictures=pictures, threads=threads, **deployed)
    headline = by_key[_HEADLINE]
    speeds = dict(ours=headline['ms'], stock=rows[0]['ms'], ratio=headline['ratio'], unit='ms')
    numbers = speeds | dict(rows=rows, deployed=deployed, machine=where)
    return Report(f'{_table(rows)}\n\n{said}\n\nMachine: {where}.', numbers)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    table = markdown_table(['prediction', 'runs in', 'numbers'], ['ms', 'quartiles', 'network', 'times stock', 'MiB'])
    for row in rows:
        low, high = row['quartiles']
        table.add_row(
            NAMES[row['network']],
            _FORM_NAMES[row['form']],
            row['precision'],
            f'{row["ms"]:.1f}',
            f'{low:.1f} - {high:.1f}',
            f'{row["network_ms"]:.1f}',
            f'{row["ratio"]:.2f}',
            f'{row["peak_mib"]:.0f}',
        )
    return render(table)


def _measure(folder: Path, data_root: str, images: int, threads: int) -> tuple[dict[Key, Timing], int]:
    """Make every form, then time all in turns."""
    jobs: dict[Key, dict[str, Any]] = {(STOCK, STOCK, 'fp32'): dict(form=STOCK)}
    with steps() as progress:
        making = progress.add_task('Exporting', total=len(CONFIGS) * (1 + len(_EXPORTED)))
        for name, config in CONFIGS.items():
            trained = Trained(config_path(config), str(untrained(config_path(config), folder)), data_root=data_root)
            for row, job in make_forms(trained, _EXPORTED, judge=False, folder=folder / name):
                jobs[name, row['form'], row['precision']] = job
                progress.advance(making)
        pictures = trained.pictures(images)
        every = [job | dict(threads=threads) for job in jobs.values()]
        timing = progress.add_task('Timing', total=count_steps(every, pictures))
        timings = take_turns(every, pictures, lambda: progress.advance(timing))
    return dict(zip(jobs, timings, strict=True)), len(pictures)


def untrained(config: str, folder: Path) -> Path:
    """Save a checkpoint of random weights that find nothing, as those of stock do in this benchmark.

    Random weights let every prior of every class through, which no trained network does.

    Args:
        config: The config file.
        folder: Where the checkpoint goes.
    """
    cfg = load_config(config)
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    find_nothing(model.bbox_head)
    path = folder / f'{Path(config).stem}.pth'
    meta = dict(dataset_meta=dict(classes=cfg.test_dataloader.dataset.metainfo.classes))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return path
