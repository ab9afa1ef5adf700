"""What a setting leads to, in a sentence in the place of a traceback: while a run is built, and for every image."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.dataset import Compose
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mobilenext_det.errors import UsageError, UserError
from mobilenext_det.trouble import trouble

LONGEST = 500
"""Characters of a message of other software; some hold whole arrays."""
# What torch makes of an error in a loader's worker: of its type, with the worker's traceback as text.
_IN_WORKER = re.compile(r'Caught (?P<type>\w+) in DataLoader worker process \d+\.\nOriginal Traceback')
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+), in .*\n(?:    .*\n)*', re.MULTILINE)


@contextmanager
def said(file: str, what: str) -> Iterator[None]:
    """Turn what a setting leads to into a sentence; sentences and troubles of the machine stay what they are.

    Args:
        file: The config file.
        what: What cannot be done as it is set.

    Raises:
        UsageError: In the place of any other error.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if trouble(error):
            raise
        raise UsageError(f'{file}: {what} ({_reason(error)}).') from error


def _reason(error: Exception) -> str:
    """Name an error, where it came up and what it says, on one line."""
    text, kind = str(error), type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    file, line = frames[-1].filename, str(frames[-1].lineno)
    if worker := _IN_WORKER.match(text):
        kind = worker['type']
        *_, last = _FRAME.finditer(text)
        file, line, text = last['file'], last['line'], text[last.end() :].removeprefix(f'{kind}: ')
    message = ' '.join(text.split())[:LONGEST]
    return f'{kind} at {os.path.basename(file)}:{line}: {message}'


class ExplainedPipeline(Compose):
    """A pipeline that names the step that failed, with its settings, and the image.

    Args:
        pipeline: The pipeline.
        where: The config file.
    """

    def __init__(self, pipeline: Compose, where: str) -> None:
        super().__init__(pipeline.transforms)
        self.where = where

    def __call__(self, data: dict) -> dict | None:
        """Take an image through the steps; None if one of them leaves it out."""
        image = data.get('img_path') if isinstance(data, dict) else None
        for step in self.transforms:
            named = type(step).__name__ if type(step).__repr__ is object.__repr__ else ' '.join(repr(step).split())
            with said(self.where, f'{named[:LONGEST]} cannot be done with {image or "an image"}'):
                data = step(data)
            if data is None:
                return None
        return data


class ExplainedLoader(DataLoader):
    """A loader that says in a sentence why it can give no batch: what its sampler, data sets or collate function do."""

    where: str
    what: str

    def __iter__(self) -> Any:
        """Yield batches; workers, and the draw of their seed, start at once, as they do without."""
        with said(self.where, self.what):
            batches = super().__iter__()  # workers ask the sampler at once
        return self._batches(batches)

    def _batches(self, batches: Any) -> Iterator[Any]:
        with said(self.where, self.what):
            yield from batches


class ExplainedRunner(Runner):
    """A runner whose loaders, and the pipelines of their data sets, say what they cannot do."""

    def build_dataloader(self, dataloader: dict, *args: Any, **kwargs: Any) -> DataLoader:
        """Build a loader, before a loop that holds it starts its workers.

        Args:
            dataloader: The config of one.
            *args: As for mmengine's runner.
            **kwargs: As for mmengine's runner.
        """
        named = (f'{phase}_dataloader' for phase in ('train', 'val', 'test'))
        name = next((name for name in named if getattr(self, f'_{name}') is dataloader), 'a dataloader')
        loader, file = super().build_dataloader(dataloader, *args, **kwargs), self.cfg.filename
        loader.__class__ = ExplainedLoader
        loader.where, loader.what = file, f'{name} gives no batch as it is set'
        for dataset in _data_sets(loader.dataset):
            if isinstance(getattr(dataset, 'pipeline', None), Compose):
                dataset.pipeline = ExplainedPipeline(dataset.pipeline, file)
        return loader


def _data_sets(dataset: Any) -> Iterator[Any]:
    """Yield a data set and what it wraps."""
    yield dataset
    for inner in [getattr(dataset, 'dataset', None), *(getattr(dataset, 'datasets', None) or ())]:
        if inner is not None:
            yield from _data_sets(inner)
