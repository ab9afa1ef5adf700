"""Prediction beside stock MMDetection: a picture's file in, its boxes out, in processes that take turns."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mobilenext_det._mim import config_path
from mobilenext_det.engine.config import load_config

from .commands import CONFIGS, NAMES, Settings, put_all_to_background, require
from .forms import FORM_NAMES, PYTORCH, STOCK, Form, Timing, Trained, make_forms, stock_job, time_pictures
from .report import Comparison, Quartiles, between, machine, spread, table
from .turns import Job, progress

_EXPORTED = (('onnx', 'fp32'), ('onnx', 'int8'))
_MEANING = """\
ms: median from a picture's file to its boxes, one picture at a time, and the quartiles; network: of it normalisation, \
network and suppression. times stock: ratio of the medians. MiB: peak resident memory of the process. {pictures} \
pictures, {threads} threads, a process each, which take turns of ten pictures. The weights are random in all, stock's \
too, and every prior is put down to background, so that there is nothing to suppress anywhere.

MobileNeXt takes {fp32:.3f} times as long as MobileNetV2 (expansion), both deployed, in fp32, and {int8:.3f} times in \
int8 (network)."""


@dataclass(frozen=True, kw_only=True)
class PredictionRow(Form):
    """How long a form takes from a picture's file to its boxes, and for the network call of it."""

    ms: float
    quartiles: Quartiles
    network_ms: float
    ratio: float
    peak_mib: float | None


@dataclass(frozen=True)
class PredictionReport(Comparison):
    """Milliseconds a picture; `ours` is MobileNeXt in PyTorch.

    Attributes:
        deployed: How many times as long MobileNeXt takes as MobileNetV2 in ONNX Runtime, by precision.
    """

    rows: list[PredictionRow]
    deployed: dict[str, float]
    pictures: int
    threads: int

    @property
    def text(self) -> str:
        """A row a form."""
        rows = table(
            self.rows,
            {
                'prediction': lambda row: NAMES[row.network],
                'runs in': lambda row: FORM_NAMES[PYTORCH if row.form == STOCK else row.form],
                'numbers': lambda row: row.precision,
            },
            {
                'ms': lambda row: f'{row.ms:.1f}',
                'quartiles': lambda row: between(row.quartiles, 1),
                'network': lambda row: f'{row.network_ms:.1f}',
                'times stock': lambda row: f'{row.ratio:.2f}',
                'MiB': lambda row: '-' if row.peak_mib is None else f'{row.peak_mib:.0f}',
            },
        )
        said = _MEANING.format(pictures=self.pictures, threads=self.threads, **self.deployed)
        return f'{rows}\n\n{said}\n\nMachine: {self.machine}.'


def compare_prediction(data_root: str = 'data/toy', images: int = 60, threads: int = 2) -> PredictionReport:
    """Time stock MMDetection's SSDLite and ours: in PyTorch, and exported to ONNX in fp32 and int8.

    Args:
        data_root: Folder that holds VOC2007/: pictures to time, and others to calibrate int8 with.
        images: Pictures to time, at most: the first ones of the test set.
        threads: Threads of each process.

    Raises:
        UsageError: If the data or a package is missing.
    """
    Settings(data_root).check()
    require(1, images=images, threads=threads)
    where = machine()
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):  # what exporters have to say
        jobs, pictures = _jobs(Path(folder), data_root, images)
        timings = time_pictures({key: replace(job, threads=threads) for key, job in jobs.items()}, pictures)
    return report(timings, len(pictures), threads, where)


def report(timings: Mapping[Form, Timing], pictures: int, threads: int, where: str) -> PredictionReport:
    """Turn seconds into milliseconds beside those of stock, which comes first."""
    rows: dict[Form, PredictionRow] = {}
    stock = next(iter(timings))
    for key, timing in timings.items():
        median, quartiles = spread(1000 * timing.file)
        rows[key] = PredictionRow(
            **vars(key),
            ms=median,
            quartiles=quartiles,
            network_ms=spread(1000 * timing.network)[0],
            ratio=rows[stock].ms / median if rows else 1.0,
            peak_mib=timing.peak_mib,
        )
    deployed = {
        form[1]: rows[Form('mobilenext', *form)].network_ms / rows[Form('mobilenetv2', *form)].network_ms
        for form in _EXPORTED
    }
    first = rows[Form('mobilenext', PYTORCH, 'fp32')]
    ours = (first.ms, rows[stock].ms, first.ratio)
    return PredictionReport(*ours, 'ms', where, list(rows.values()), deployed, pictures, threads)


def _jobs(folder: Path, data_root: str, images: int) -> tuple[dict[Form, Job], list[str]]:
    """Make every form, and return what times them, stock first, and the pictures to do so with."""
    jobs = {Form(STOCK, STOCK, 'fp32'): stock_job()}
    with progress('Exporting', len(CONFIGS) * (1 + len(_EXPORTED))) as advance:
        for name, config in CONFIGS.items():
            loaded = load_config(config_path(config), data_root=data_root)
            trained = Trained(loaded, untrained(loaded, folder))
            pictures = trained.pictures(images)
            for form, _, job in make_forms(trained, _EXPORTED, folder / name):
                jobs[replace(form, network=name)] = job
                advance()
    return jobs, pictures


def untrained(config: Config, folder: Path) -> Path:
    """Save a checkpoint of random weights that put every prior down to background, as stock's do in this benchmark.

    Args:
        config: The config.
        folder: Where the checkpoint goes.
    """
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    put_all_to_background(model.bbox_head)
    path = folder / f'{Path(config.filename).stem}.pth'
    meta = dict(dataset_meta=dict(classes=config.test_dataloader.dataset.metainfo.classes))
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return path
