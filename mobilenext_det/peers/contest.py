"""Detectors trained one after another on a data set, on the same machine for the same minutes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from mmengine.config import Config

from mobilenext_det._mim import MIM
from mobilenext_det.engine.config import load_config
from mobilenext_det.engine.evaluate import evaluate
from mobilenext_det.engine.run_files import run_files
from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically
from mobilenext_det.own_data.config_file import length
from mobilenext_det.own_data.pace import evaluated_batches, iterations_within, seconds_per_iteration, useful
from mobilenext_det.speed.commands import stock_file
from mobilenext_det.speed.processes import ProcessGroup
from mobilenext_det.speed.report import Report, machine, table

from .curves import LearningCurve, draw_curves, learning_curve
from .latency import network_milliseconds, write_network
from .recipes import PEERS, count_images, peer_config, steps_of_epoch

OWN = 'ours'
Result = TypeVar('Result')


@dataclass(frozen=True)
class Run:
    """One training of a detector.

    Attributes:
        detector: Its name.
        seed: Its seed.
        parameters: How many the network has.
        asked: How many minutes it was to train.
        data: Digest of the lists of images and objects that it was trained and tested on.
        minutes: What the command took, start and validation included.
        epochs: Passes over the training images.
        map_50: COCO's mAP at IoU 0.5 on the test part, of the checkpoint that was best on the validation part by `map`.
        map: COCO's mAP at IoU 0.5 to 0.95, likewise.
        curve: How it learnt.
    """

    detector: str
    seed: int
    parameters: int
    asked: float
    data: str
    minutes: float
    epochs: float
    map_50: float
    map: float
    curve: LearningCurve


@dataclass(frozen=True)
class Row:
    """What a detector reached, over its runs."""

    detector: str
    runs: list[Run]
    milliseconds: float

    def mean(self, field: str) -> float:
        """Return the mean of a field of the runs."""
        return statistics.fmean(getattr(run, field) for run in self.runs)

    def percent(self, field: str) -> str:
        """Write the mean of a share in percent, with the lowest and the highest of several runs."""
        values = sorted(100 * getattr(run, field) for run in self.runs)
        spread = f' ({values[0]:.1f} - {values[-1]:.1f})' if len(values) > 1 else ''
        return f'{statistics.fmean(values):.1f}{spread}'


@dataclass(frozen=True)
class Contest(Report):
    """What all reached.

    Attributes:
        rows: By detector.
        minutes: How long each was to train.
        data: What on.
        machine: What was measured on.
    """

    rows: list[Row]
    minutes: float
    data: str
    machine: str

    @property
    def text(self) -> str:
        """The table, and what it means."""
        words = {'detector': lambda row: row.detector}
        numbers: dict[str, Callable[[Row], str]] = {
            'parameters': lambda row: f'{row.runs[0].parameters:,}',
            'epochs': lambda row: f'{row.mean("epochs"):.0f}',
            'minutes': lambda row: f'{row.mean("minutes"):.1f}',
            'mAP .5, %': lambda row: row.percent('map_50'),
            'mAP .5:.95, %': lambda row: row.percent('map'),
            'ms an image': lambda row: f'{row.milliseconds:.1f}',
        }
        return '\n'.join(
            [
                table(self.rows, words, numbers),
                '',
                f'{self.data}; {self.minutes:g} minutes each; {self.machine}.',
                "mAP is COCO's, of the checkpoint that was best on the validation part. The time is that of its",
                'network as an ONNX file in ONNX Runtime, one thread, without suppression; all take turns.',
            ]
        )

    def write(self, path: Path) -> None:
        """Write it as JSON and as Markdown, and the curves as PNG.

        Args:
            path: Where to, without a suffix.
        """
        super().write(path)
        curves = {row.detector: [run.curve for run in row.runs] for row in self.rows}
        draw_curves(curves, self.minutes, path.with_name(f'{path.name}.png'))


def run_contest(
    config: str, out: Path, minutes: float, detectors: Sequence[str], seeds: Sequence[int], weights: str | None = None
) -> Contest:
    """Train detectors one after another, and compare them. What `out` holds already is not trained again.

    Ours is trained by `tools/train.py`, the others by MMDetection's own. The pace of each is measured first, and its
    length follows from it, so that all take as long; ours not longer than `tools/prepare.py` would let it.

    Args:
        config: A config that `tools/prepare.py` wrote.
        out: Folder for the runs and the networks.
        minutes: How long each trains.
        detectors: `OWN`, or some of `PEERS`.
        seeds: A run is made for each.
        weights: A checkpoint for the backbone of ssdlite-mobilenetv2; the others' need a network to be had.

    Raises:
        UsageError: If another program wrote the config, a training fails, or a run in `out` was to take other minutes,
            is of other data, has no network beside its record, or a record that cannot be read.
    """
    own = _require_prepared(config)
    if not minutes > 0:
        raise UsageError(f'--minutes {minutes:g} is too few: take more than 0.')
    out.mkdir(parents=True, exist_ok=True)
    data = _digest(own)
    runs: dict[str, list[Run]] = {}
    for seed in dict.fromkeys(seeds):
        for detector in dict.fromkeys(detectors):
            record = out / f'{detector}-{seed}.json'
            if not record.is_file():
                contestant = _Contestant(detector, config, own, out, minutes, seed, weights)
                write_atomically(json.dumps(asdict(contestant.run()), indent=1).encode(), record)
            runs.setdefault(detector, []).append(_read(record, minutes, data))
            if not _network(out, detector).is_file():
                raise UsageError(f'{_network(out, detector)} is not there, but {record} is: remove it to train anew.')
    times = network_milliseconds({detector: _network(out, detector) for detector in detectors})
    rows = [Row(detector, each, times[detector]) for detector, each in runs.items()]
    return Contest(rows, minutes, f'{Path(config).stem}, {own.judged} part', machine())


def _digest(own: Config) -> str:
    lists = (Path(own.labels, f'{part}.json').read_bytes() for part in ('train', own.judged))
    return hashlib.sha256(b''.join(lists)).hexdigest()[:16]


def _read(record: Path, minutes: float, data: str) -> Run:
    try:
        run = Run(**json.loads(record.read_text()))
    except (ValueError, TypeError) as error:
        what = f'no record of a run of this version ({error})'
        raise UsageError(f'{record} is {what}: remove it to train anew.') from None
    if run.asked != minutes:
        raise UsageError(f'{record} is of a run of {run.asked:g} minutes, not {minutes:g}: name another --out.')
    if run.data != data:
        raise UsageError(f'{record} is of a run on other images or objects: name another --out.')
    return run


def _network(out: Path, detector: str) -> Path:
    return out / f'{detector}.onnx'


def _require_prepared(path: str) -> Config:
    config = load_config(path)
    for key in ('data_root', 'labels', 'judged', 'classes', 'input_size', 'batch_size'):
        if key not in config:
            raise UsageError(f"{path} is no config that tools/prepare.py wrote: there is no '{key}' in it.")
    return config


@dataclass(frozen=True)
class _Contestant:
    """A detector that is to be trained."""

    detector: str
    path: str
    own: Config
    out: Path
    minutes: float
    seed: int
    weights: str | None

    def run(self) -> Run:
        """Measure its pace, train it and test it."""
        shutil.rmtree(self._folder, ignore_errors=True)  # of a training that was stopped
        steps = steps_of_epoch(self.own)
        seconds = self._apart(seconds_per_iteration, self._config(iterations=steps))
        validated, reported = (count_images(self.own, part) for part in ('val', self.own.judged))
        evaluated = evaluated_batches(validated, reported, self.own.batch_size)
        iterations = iterations_within(self.minutes, seconds, evaluated)
        if self.detector == OWN:  # as tools/prepare.py has it
            iterations = useful(iterations, count_images(self.own, 'train'), self.own.batch_size, self.own.crops)
        config = self._config(iterations)
        started = time.monotonic()
        self._train(config, iterations)
        minutes = (time.monotonic() - started) / 60
        checkpoint = run_files(self._folder).checkpoint
        labels = str(Path(self.own.labels, f'{self.own.judged}.json').resolve())
        config.test_evaluator = dict(type='CocoMetric', ann_file=labels, metric='bbox')
        network = _network(self.out, self.detector)
        epochs = config.train_cfg.get('max_epochs')
        scores, count = self._apart(_assess, config, checkpoint, self.own.input_size, self._folder, network)
        return Run(
            self.detector,
            self.seed,
            parameters=count,
            asked=self.minutes,
            data=_digest(self.own),
            minutes=round(minutes, 2),
            epochs=epochs or round(iterations / steps, 1),
            map_50=scores.get('coco/bbox_mAP_50', 0.0),  # COCO's metric says nothing where nothing was detected
            map=scores.get('coco/bbox_mAP', 0.0),
            curve=learning_curve(self._folder, epochs or iterations),
        )

    def _apart(self, function: Callable[..., Result], *args: Any) -> Result:
        """Call a function in a process of its own, whose memory, registered classes and output go with it."""
        self._folder.mkdir(exist_ok=True)
        spawn = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(1, spawn, _print_to, (str(self._folder / 'pace_and_test.log'),)) as pool:
            return pool.submit(function, *args).result()

    @property
    def _folder(self) -> Path:
        return self.out / f'{self.detector}-{self.seed}'

    def _config(self, iterations: int) -> Config:
        if self.detector == OWN:
            return load_config(self.path, self._options(iterations))
        epochs = max(1, round(iterations / steps_of_epoch(self.own)))
        weights = self.weights if self.detector == 'ssdlite-mobilenetv2' else None
        config = peer_config(PEERS[self.detector], self.own, epochs, weights)
        config.randomness = dict(seed=self.seed)
        return config

    def _options(self, iterations: int) -> list[str]:
        settings = {**length(iterations), 'randomness.seed': self.seed}
        return [f'{key}={value}' for key, value in settings.items()]

    def _train(self, config: Config, iterations: int) -> None:
        if self.detector == OWN:
            command = [str(MIM / 'tools' / 'train.py'), self.path, '--cfg-options', *self._options(iterations)]
        else:
            written = self.out / f'{self.detector}.py'
            config.dump(written)
            command = [stock_file('tools/train.py'), str(written)]
        group = ProcessGroup([sys.executable, *command, '--work-dir', str(self._folder)], self._folder / 'train.log')
        try:
            while group.poll() is None:
                time.sleep(1)
        finally:
            group.close()
        if group.poll() != 0:
            raise UsageError(f'Training {self.detector} failed: {group.last_line()} ({group.log} has all of it).')


def _assess(config: Config, checkpoint: Path, size: int, folder: Path, network: Path) -> tuple[dict[str, float], int]:
    """Test a detector, write its network, and count its parameters."""
    scores = evaluate(config, checkpoint, work_dir=folder / 'test').scores
    return scores, write_network(config, checkpoint, size, network)


def _print_to(path: str) -> None:
    """Have all that this process prints go to a file."""
    with open(path, 'a') as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
