"""What data sets that are read with a check have in common, whatever their format."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from mmdet.datasets import BaseDetDataset
from mmdet.visualization.palette import get_palette
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from rich.console import Console
from rich.progress import track

from mobilenext_det.errors import BadDataError

from .problems import Kind, Problem, problem_table

PROBLEMS = 'problems'
"""Key of a test set's first image under which the metric finds how many problems of each kind the set has."""
T = TypeVar('T')


class CheckedDataset(BaseDetDataset):
    """Counts what is wrong with a data set while it is read, reports it as a table, and stops if it is told to.

    Below it stands one of MMDetection's data sets, above it one that reads a format. Files are read from the local
    disk; ``backend_args`` of other storage is not supported.

    Args:
        on_bad_data: 'skip' leaves bad objects and images out, 'stop' raises at the end of reading. What is corrected,
            such as a box that leaves the image and is clipped, is kept in both.
        ignore_unknown_classes: Leave out objects whose class is not in the list. By default they stop the run whatever
            ``on_bad_data`` says, because a misspelt class would otherwise train to nothing.
        **kwargs: As for the data set below.

    Attributes:
        problems: Every :class:`~mobilenext_det.datasets.problems.Problem` found.

    Raises:
        BadDataError: If bad data was found and is not to be skipped, or if no usable image or object is left.
    """

    def __init__(self, *, on_bad_data: str = 'skip', ignore_unknown_classes: bool = False, **kwargs: Any) -> None:
        if on_bad_data not in ('skip', 'stop'):
            raise ValueError(f"on_bad_data is {on_bad_data!r}; it must be 'skip' or 'stop'.")
        if kwargs.get('backend_args'):
            raise ValueError(
                f'backend_args={kwargs["backend_args"]} is given, but images are checked on a local disk only.'
            )
        self.on_bad_data = on_bad_data
        self.ignore_unknown_classes = ignore_unknown_classes
        self.problems: list[Problem] = []
        super().__init__(**kwargs)

    @classmethod
    def _load_metainfo(cls, metainfo: Mapping | Config | None = None) -> dict:
        """Refuse ``classes=('dog')``, a string for want of a comma, and give each of many classes a colour."""
        loaded = super()._load_metainfo(metainfo)
        classes, palette = loaded['classes'], loaded['palette']
        if isinstance(classes, str):
            raise BadDataError(
                f'classes={classes!r} is one string; write classes=({classes!r},) with a comma for one class.'
            )
        if not classes or len(set(classes)) < len(classes):
            raise BadDataError(f'classes={classes!r} must name at least one class, and each class once.')
        if len(palette) < len(classes):
            loaded['palette'] = [tuple(map(int, colour)) for colour in get_palette('random', len(classes))]
        return loaded

    @property
    def labels(self) -> dict[str, int]:
        """The label of each class: its place in the list."""
        return {name: label for label, name in enumerate(self._metainfo['classes'])}

    def _tracked(self, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, with a bar on a terminal."""
        terminal = Console(stderr=True)
        shown = terminal.is_terminal and is_main_process()
        yield from track(
            items, description=f'Checking {self.ann_file}', transient=True, console=terminal, disable=not shown
        )

    def _note(self, kind: Kind, path: str, detail: str, object_number: int | str | None = None) -> None:
        self.problems.append(Problem(kind, path, detail, object_number))

    def _skip(self, kind: Kind, path: str, detail: str, object_number: int | str | None = None) -> dict | None:
        """Note a problem, and return the entry of an image or object that has one: none."""
        self._note(kind, path, detail, object_number)
        return None

    def _nothing_left(self, path: str, instances: list[dict], problems: list[Problem]) -> bool:
        """Tell, and note, whether an image shows objects of which none is usable: it must not teach background."""
        bad = [problem for problem in problems if not problem.kind.corrected and problem.kind is not Kind.UNKNOWN_CLASS]
        if instances or not bad or self.test_mode:
            return False
        self._note(
            Kind.NOTHING_LEFT, path, f'its {len(bad)} objects cannot be used, so that it is no background either'
        )
        return True

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline; with the first image of a test set go the counts of its problems, for the metric."""
        data = super().prepare_data(idx)
        if self.test_mode and idx == 0 and self.problems and isinstance(data, dict) and 'data_samples' in data:
            counts = Counter(problem.kind.name for problem in self.problems)
            samples = data['data_samples']  # several with test-time augmentation
            for sample in samples if isinstance(samples, list) else [samples]:
                sample.set_metainfo({PROBLEMS: dict(counts)})
        return data

    def filter_data(self) -> list[dict]:
        """Leave out of training what ``filter_cfg`` says, but never down to nothing."""
        settings = {} if self.test_mode else self.filter_cfg or {}
        data_list = [
            entry
            for entry in self.data_list
            if (entry['instances'] or not settings.get('filter_empty_gt', False))
            and min(entry['width'], entry['height']) >= settings.get('min_size', 0)
        ]
        if not data_list:
            raise BadDataError(
                f'{self.ann_file}: filter_cfg={self.filter_cfg} leaves none of {len(self.data_list)} images; '
                'no object of the classes is left in them, or they are too small.'
            )
        return data_list

    def _report(self, data_list: list[dict], num_images: int) -> None:
        """Log what was read and what was wrong with it, and stop if the configuration or common sense says so."""
        objects = sum(len(entry['instances']) for entry in data_list)
        empty = sum(not entry['instances'] for entry in data_list)
        summary = f'{self.ann_file}: {len(data_list)} of {num_images} images and {objects} objects are usable'
        summary += f'; {empty} of the images have no object: {self._what_empty_images_do()}.' if empty else '.'
        if self.problems:
            print_log(f'{summary}\n{problem_table(self.problems)}', logger='current', level=logging.WARNING)
        else:
            print_log(summary, logger='current')
        unknown = [problem for problem in self.problems if problem.kind is Kind.UNKNOWN_CLASS]
        bad = [problem for problem in self.problems if not problem.kind.corrected]
        if unknown and not (self.ignore_unknown_classes and objects):
            counts = Counter(problem.detail for problem in unknown).most_common(10)
            raise BadDataError(
                f'{unknown[0]}; the classes are {tuple(self._metainfo["classes"])}: correct the annotations or '
                'metainfo=dict(classes=...), or leave such objects out with ignore_unknown_classes=True (in all '
                f'{", ".join(f"{count} x {detail}" for detail, count in counts)}).'
            )
        if bad and self.on_bad_data == 'stop':
            raise BadDataError(
                f'{bad[0]}; it is the first of {len(bad)} problems in {self.ann_file}: correct the files, or leave '
                "the bad objects and images out with on_bad_data='skip'."
            )
        if not data_list:
            raise BadDataError(f'{bad[0]}; none of the {num_images} images of {self.ann_file} can be used.')

    def _what_empty_images_do(self) -> str:
        if self.test_mode:
            return 'every detection there is a false positive'
        if (self.filter_cfg or {}).get('filter_empty_gt', False):
            return 'filter_cfg=dict(filter_empty_gt=True) leaves them out of training, False has them teach background'
        return 'they teach background'
