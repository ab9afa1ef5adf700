"""Input pipeline beside mmdet's own transforms: the recipe of training, on one core."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from mmdet.registry import DATASETS
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mobilenext_det._mim import config_path
from mobilenext_det.datasets import SeededIndex
from mobilenext_det.datasets.crops import MIN_IOUS, MIN_SIDE
from mobilenext_det.display.tables import markdown_table, render
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError

from .commands import CONFIGS, STOCK, Settings, require
from .process_group import peak_mib
from .report import Report, machine, quartiles, steps

_OURS, _CACHED = 'ours', 'ours, cached'
_NAMES = {STOCK: 'stock mmdet', _OURS: 'ours, decoding', _CACHED: 'ours, from its cache'}
_TURN = 25  # pictures
_LOADING = 'CheckedLoadImage'
# What mmdet has for ours; settings that are not given are the same by default.
_STOCK = {
    _LOADING: dict(type='LoadImageFromFile'),
    'SSDPhotoMetricDistortion': dict(type='PhotoMetricDistortion'),
    'SSDExpand': dict(type='Expand'),
    'SSDRandomCrop': dict(type='MinIoURandomCrop', min_ious=MIN_IOUS, min_crop_size=MIN_SIDE),
}
_MEANING = """\
images/s: median over {turns} turns of up to {turn} pictures on one core, and the quartiles; ms: means by transform. \
times stock: ratio of the medians. MiB: peak resident memory of the process; own: what the pictures added. Same order, \
sizes and probabilities; ours once without its cache of decoded pictures, as in the first epoch, and once with all of \
them in it. {images} pictures of {data_root}, {width}x{height} pixels in the median, one process each."""


class Turn(NamedTuple):
    """What one turn measured.

    Attributes:
        images: How many pictures.
        seconds: By transform, for all of them.
        peak_mib: Largest resident memory of the process so far.
    """

    images: int
    seconds: dict[str, float]
    peak_mib: float


def compare_pipeline(data_root: str = 'data/toy', images: int = 200, rounds: int = 3) -> Report:
    """Time the training transforms of ours and of stock mmdet in turns.

    Args:
        data_root: Folder that holds VOC2007/.
        images: Pictures to take, at most: the first ones of the training set.
        rounds: How often to go over them; once more before, untimed, which fills the cache.

    Returns:
        Images per second on one core.

    Raises:
        UsageError: If a setting is of no use, or a picture.
        BadDataError: If the data set is.
    """
    Settings(data_root).check()
    require(1, images=images, rounds=rounds)
    where = machine()
    with ExitStack() as stack:
        spawned = get_context('spawn')
        processes = {name: stack.enter_context(ProcessPoolExecutor(1, spawned)) for name in _NAMES}
        opened = {name: process.submit(_open, name, data_root) for name, process in processes.items()}
        before = {name: one.result() for name, one in opened.items()}
        sizes = processes[STOCK].submit(_sizes, images).result()
        turns = _take_turns(processes, len(sizes), rounds)
    return report(turns, before, sizes, data_root, where)


def report(
    turns: Mapping[str, Sequence[Turn]],
    before: Mapping[str, float],
    sizes: Sequence[tuple[int, int]],
    data_root: str,
    where: str,
) -> Report:
    """Turn seconds into speeds beside stock.

    Args:
        turns: What was measured of each pipeline, stock first.
        before: MiB that each process had needed before the first picture.
        sizes: Width and height of the pictures.
        data_root: Where they are.
        where: The machine.
    """
    rows = _rows(turns, before)
    width, height = (int(side) for side in np.median(sizes, axis=0))
    first = turns[STOCK]
    said = _MEANING.format(
        turns=len(first), turn=first[0].images, images=len(sizes), data_root=data_root, width=width, height=height
    )
    ours, stock = (rows[name]['images_per_second'] for name in (_OURS, STOCK))
    numbers = dict(ours=ours, stock=stock, ratio=ours / stock, unit='images/s', rows=rows, machine=where)
    return Report(f'{_speeds(rows)}\n\n{_by_transform(rows)}\n\n{said}\n\nMachine: {where}.', numbers)


def pipeline(name: str, data_root: str) -> Any:
    """Build the training set with one of the pipelines.

    Args:
        name: Which one.
        data_root: Folder that holds VOC2007/.
    """
    cfg = load_config(config_path(CONFIGS['mobilenext']), data_root=data_root)
    dataset = cfg.train_dataloader.dataset
    transforms = [dict(transform) for transform in dataset.pipeline]
    if name == STOCK:
        transforms = [t | _STOCK.get(t['type'], {}) for t in transforms if t['type'] != 'SeedBySample']
    elif name == _CACHED:
        transforms = [t | dict(cache_mib=4096) if t['type'] == _LOADING else t for t in transforms]
    init_default_scope('mmdet')
    return DATASETS.build({**dataset, 'pipeline': transforms})


def _open(name: str, data_root: str) -> float:
    """Prepare a process for its turns, and return the MiB that it has needed for that."""
    global _dataset
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    MMLogger.get_instance('mmengine', log_level='ERROR')
    _dataset = pipeline(name, data_root)
    return peak_mib()


def _sizes(images: int) -> list[tuple[int, int]]:
    """Width and height of the pictures that are taken."""
    infos = [_dataset.get_data_info(index) for index in range(min(images, len(_dataset)))]
    return [(info['width'], info['height']) for info in infos]


def _measure(indices: Sequence[int], seed: int) -> Turn:
    """Send pictures through the pipeline, and time every transform."""
    seconds: dict[str, float] = {}
    random.seed(seed)
    np.random.seed(seed)
    for index in indices:
        results = _dataset.get_data_info(SeededIndex(index, seed + index))
        for transform in _dataset.pipeline.transforms:
            started = time.perf_counter()
            results = transform(results)
            name = type(transform).__name__
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started
            if results is None:
                raise UsageError(f'{_dataset.get_data_info(index)["img_path"]} cannot be used: take it out.')
    return Turn(len(indices), seconds, peak_mib())


def _take_turns(processes: dict[str, ProcessPoolExecutor], images: int, rounds: int) -> dict[str, list[Turn]]:
    turns = {name: [] for name in processes}
    starts = range(0, images, _TURN)
    with steps() as progress:
        task = progress.add_task('Pictures', total=(1 + rounds) * len(starts) * len(processes))
        for number in range(1 + rounds):
            for start in starts:
                for name, process in processes.items():
                    indices = range(start, min(start + _TURN, images))
                    turn = process.submit(_measure, indices, images * number).result()
                    if number:  # the first round fills the caches
                        turns[name].append(turn)
                    progress.advance(task)
    return turns


def _rows(turns: Mapping[str, Sequence[Turn]], before: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Turn seconds into speeds beside that of stock, which is the first."""
    rows: dict[str, dict[str, Any]] = {}
    for name, own in turns.items():
        low, middle, high = quartiles([turn.images / sum(turn.seconds.values()) for turn in own])
        stock = rows[STOCK]['images_per_second'] if rows else middle
        images = sum(turn.images for turn in own)
        rows[name] = dict(
            images_per_second=middle,
            quartiles=[low, high],
            ratio=middle / stock,
            ms={key: 1000 * sum(turn.seconds[key] for turn in own) / images for key in own[0].seconds},
            peak_mib=own[-1].peak_mib,
            own_mib=own[-1].peak_mib - before[name],
        )
    return rows


def _speeds(rows: dict[str, dict[str, Any]]) -> str:
    table = markdown_table(['pipeline'], ['images/s', 'quartiles', 'times stock', 'MiB', 'own'])
    for name, row in rows.items():
        low, high = row['quartiles']
        table.add_row(
            _NAMES[name],
            f'{row["images_per_second"]:.1f}',
            f'{low:.1f} - {high:.1f}',
            f'{row["ratio"]:.2f}',
            f'{row["peak_mib"]:.0f}',
            f'{row["own_mib"]:.0f}',
        )
    return render(table)


def _by_transform(rows: dict[str, dict[str, Any]]) -> str:
    """One row a transform, by the name that it has in ours."""
    table = markdown_table(['transform'], [f'ms, {_NAMES[name]}' for name in rows])
    for transform in rows[_OURS]['ms']:
        theirs = _STOCK.get(transform, {}).get('type', transform)
        names = {STOCK: theirs}
        spent = [row['ms'].get(names.get(name, transform)) for name, row in rows.items()]
        shown = transform if theirs == transform else f'{transform} ({theirs})'
        table.add_row(shown, *('-' if ms is None else f'{ms:.2f}' for ms in spent))
    table.add_row('all', *(f'{sum(row["ms"].values()):.2f}' for row in rows.values()))
    return render(table)
