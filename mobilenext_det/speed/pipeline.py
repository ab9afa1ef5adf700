"""Input pipeline beside mmdet's own transforms: the recipe of training, on one core."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmdet.registry import DATASETS
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope

from mobilenext_det._mim import config_path
from mobilenext_det.datasets import SeededIndex
from mobilenext_det.datasets.crops import MIN_IOUS, MIN_SIDE
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import UsageError

from .commands import CONFIGS, STOCK, Settings, require
from .processes import peak_mib
from .report import Comparison, Quartiles, between, machine, spread, table
from .turns import Job, take_turns, workers

OURS, CACHED = 'ours', 'cached'
_NAMES = {STOCK: 'stock mmdet', OURS: 'ours, decoding', CACHED: 'ours, from its cache'}
_TURN = 25  # pictures
_LOADING = 'CheckedLoadImage'
# What mmdet has for ours; settings that are not given are the same by default.
_STOCK: dict[str, dict[str, Any]] = {
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


Item = tuple[int, int]  # a picture of the training set, and a seed
Turn = Sequence[Mapping[str, float]]  # of each picture, the seconds of each transform


@dataclass(frozen=True)
class Measured:
    """What was measured of one pipeline: its turns, and the peak memory before the first picture and at the end."""

    turns: Sequence[Turn]
    before_mib: float
    peak_mib: float


@dataclass(frozen=True)
class PipelineRow:
    """How fast a pipeline is: median and quartiles over turns, means by transform; `own_mib`: what pictures added."""

    images_per_second: float
    quartiles: Quartiles
    ratio: float
    ms: dict[str, float]
    peak_mib: float
    own_mib: float


@dataclass(frozen=True)
class PipelineReport(Comparison):
    """Images per second on one core, of 'stock', 'ours' without its cache, and ours 'cached'."""

    rows: dict[str, PipelineRow]
    data_root: str
    images: int
    median_size: tuple[int, int]
    turns: int

    @property
    def text(self) -> str:
        """A row a pipeline, and a row a transform."""
        width, height = self.median_size
        turns = dict(turns=self.turns, turn=min(_TURN, self.images), images=self.images)
        said = _MEANING.format(data_root=self.data_root, width=width, height=height, **turns)
        return f'{self._speeds()}\n\n{self._by_transform()}\n\n{said}\n\nMachine: {self.machine}.'

    def _speeds(self) -> str:
        return table(
            list(self.rows.items()),
            {'pipeline': lambda of: _NAMES[of[0]]},
            {
                'images/s': lambda of: f'{of[1].images_per_second:.1f}',
                'quartiles': lambda of: between(of[1].quartiles, 1),
                'times stock': lambda of: f'{of[1].ratio:.2f}',
                'MiB': lambda of: f'{of[1].peak_mib:.0f}',
                'own': lambda of: f'{of[1].own_mib:.0f}',
            },
        )

    def _by_transform(self) -> str:
        """One row a transform, by the name that it has in ours."""

        def spent(name: str, row: PipelineRow) -> Callable[[str], str]:
            def cell(transform: str) -> str:
                ms = row.ms.get(_of_stock(transform) if name == STOCK else transform)
                return '-' if ms is None else f'{ms:.2f}'

            return lambda transform: f'{sum(row.ms.values()):.2f}' if transform == 'all' else cell(transform)

        return table(
            [*self.rows[OURS].ms, 'all'],
            {'transform': lambda own: own if _of_stock(own) == own else f'{own} ({_of_stock(own)})'},
            {f'ms, {_NAMES[name]}': spent(name, row) for name, row in self.rows.items()},
        )


def _of_stock(transform: str) -> str:
    return _STOCK.get(transform, {}).get('type', transform)


def compare_pipeline(data_root: str = 'data/toy', images: int = 200, rounds: int = 3) -> PipelineReport:
    """Time the training transforms of ours and of stock mmdet in turns.

    Args:
        data_root: Folder that holds VOC2007/.
        images: Pictures to take, at most: the first ones of the training set.
        rounds: How often to go over them; once more before, untimed, which fills the cache.

    Raises:
        UsageError: If a setting is of no use, or a picture.
        BadDataError: If the data set is.
    """
    Settings(data_root).check()
    require(1, images=images, rounds=rounds)
    where = machine()
    sizes = picture_sizes(open_pipeline(OURS, data_root), images)
    turns = [
        [(index, len(sizes) * number + index) for index in range(start, min(start + _TURN, len(sizes)))]
        for number in range(1 + rounds)
        for start in range(0, len(sizes), _TURN)
    ]
    untimed = len(turns) // (1 + rounds)
    with workers({name: Job('pipeline', dict(name=name, data_root=data_root)) for name in _NAMES}) as processes:
        answers = take_turns({name: worker.ask for name, worker in processes.items()}, turns)
        measured = {
            name: Measured(answers[name][untimed:], worker.opened_mib, peak_mib(worker.pid))
            for name, worker in processes.items()
        }
    return report(measured, sizes, data_root, where)


def report(
    measured: Mapping[str, Measured], sizes: list[tuple[int, int]], data_root: str, where: str
) -> PipelineReport:
    """Turn seconds into speeds beside stock, which comes first."""
    rows: dict[str, PipelineRow] = {}
    for name, own in measured.items():
        median, quartiles = spread([len(turn) / sum(sum(picture.values()) for picture in turn) for turn in own.turns])
        pictures = [picture for turn in own.turns for picture in turn]
        rows[name] = PipelineRow(
            images_per_second=median,
            quartiles=quartiles,
            ratio=median / rows[STOCK].images_per_second if rows else 1.0,
            ms={key: 1000 * sum(picture[key] for picture in pictures) / len(pictures) for key in pictures[0]},
            peak_mib=own.peak_mib,
            own_mib=own.peak_mib - own.before_mib,
        )
    ours, stock = (rows[name].images_per_second for name in (OURS, STOCK))
    width, height = (int(side) for side in np.median(sizes, axis=0))
    speeds = (ours, stock, ours / stock, 'images/s', where, rows)
    return PipelineReport(*speeds, data_root, len(sizes), (width, height), len(measured[STOCK].turns))


def open_pipeline(name: str, data_root: str) -> Any:
    """Build the training set with one of the pipelines.

    Args:
        name: 'stock', 'ours' or 'cached'.
        data_root: Folder that holds VOC2007/.
    """
    cfg = load_config(config_path(CONFIGS['mobilenext']), data_root=data_root)
    dataset = cfg.train_dataloader.dataset
    transforms = [dict(transform) for transform in dataset.pipeline]
    if name == STOCK:
        transforms = [t | _STOCK.get(t['type'], {}) for t in transforms if t['type'] != 'SeedBySample']
    elif name == CACHED:
        transforms = [t | dict(cache_mib=4096) if t['type'] == _LOADING else t for t in transforms]
    init_default_scope('mmdet')
    return DATASETS.build({**dataset, 'pipeline': transforms})


def picture_sizes(dataset: Any, images: int) -> list[tuple[int, int]]:
    """Return width and height of the pictures that are taken, the first ones.

    Args:
        dataset: The training set.
        images: How many at most.
    """
    infos = [dataset.get_data_info(index) for index in range(min(images, len(dataset)))]
    return [(info['width'], info['height']) for info in infos]


def time_transforms(name: str, data_root: str) -> Callable[[Item], dict[str, float]]:
    """Open a pipeline as a function from a picture to the seconds of every transform; `worker.py` calls it."""
    MMLogger.get_instance('mmengine', log_level='ERROR')
    dataset = open_pipeline(name, data_root)
    return lambda item: time_item(dataset, *item)


def time_item(dataset: Any, index: int, seed: int) -> dict[str, float]:
    """Send a picture through the pipeline, and time every transform.

    Args:
        dataset: The training set.
        index: The picture.
        seed: Of all that is random.

    Raises:
        UsageError: If it cannot be used.
    """
    seconds: dict[str, float] = {}
    random.seed(seed)
    np.random.seed(seed)
    results = dataset.get_data_info(SeededIndex(index, seed))
    for transform in dataset.pipeline.transforms:
        started = time.perf_counter()
        results = transform(results)
        seconds[type(transform).__name__] = time.perf_counter() - started
        if results is None:
            raise UsageError(f'{dataset.get_data_info(index)["img_path"]} cannot be used: take it out.')
    return seconds
