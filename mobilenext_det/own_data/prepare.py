"""From a folder of labelled images to a config that trains a detector on them: what `tools/prepare.py` calls."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mobilenext_det.datasets.problems import Kind
from mobilenext_det.engine.config import load_config
from mobilenext_det.errors import BadDataError, UsageError
from mobilenext_det.files import write_atomically

from .coco_file import write_coco
from .config_file import write_config
from .formats import read_labels
from .labels import LabelledImage, Labels, likely_misspelt
from .pace import enough, evaluated_batches, iterations_within, seconds_per_iteration, useful
from .page import write_page
from .plan import Plan, make_plan
from .split import split

NAMED = 8  # classes and corrections that a sentence names


@dataclass(frozen=True)
class Prepared:
    """What was made of a folder of labelled images.

    Attributes:
        config: The config.
        page: The page about the data.
        parts: The images of each part.
        classes: The classes.
        plan: What was chosen.
        labels: What was read, with every problem.
        seconds: What an iteration takes on this machine; None if it was not measured.
        max_iters: How many iterations are trained.
        former: Where a config is that was there before and is another; None if there was none.
    """

    config: Path
    page: Path
    parts: Mapping[str, Sequence[LabelledImage]]
    classes: tuple[str, ...]
    plan: Plan
    labels: Labels
    seconds: float | None
    max_iters: int
    former: Path | None


def prepare(
    folder: Path,
    out: Path,
    *,
    form: str | None = None,
    classes: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    input_size: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
) -> Prepared:
    """Read a folder of labelled images, and write lists of its parts, a config and a page about the data.

    Args:
        folder: The folder, which stays as it is.
        out: Where the files go; the config is named as this folder is.
        form: Format of the labels; None to find out.
        classes: The classes; none for all that occur. Objects of others are left out.
        rename: Classes to be called by another name, such as misspelt ones.
        input_size: Side of the network's input; None to choose.
        minutes: How long to train on this machine at most; None for as long as it helps.
        seed: Of the split, where the data has none.

    Raises:
        BadDataError: If there is nothing to train on, a class that was asked for does not occur, or classes look like
            misspellings of others.
        UsageError: If `out` or `minutes` cannot be.
    """
    _require_usable(out, folder, minutes)
    labels = read_labels(folder.resolve(), form, without=out.resolve())
    chosen = _choose_classes(labels, tuple(dict.fromkeys(classes)), rename or {})
    parts = split(labels.images, seed=seed)
    plan = make_plan(parts['train'], chosen, input_size)
    out.mkdir(parents=True, exist_ok=True)
    for part, images in parts.items():
        write_coco(images, chosen, folder.resolve(), out / f'{part}.json')
    config = out / f'{out.resolve().name}.py'
    before = config.read_bytes() if config.exists() else None
    amount = len(parts['train']), plan.batch_size, plan.crops
    max_iters = enough(*amount)
    write_config(config, folder.resolve(), parts, chosen, plan, max_iters)
    seconds = None
    if minutes is not None:
        seconds = seconds_per_iteration(load_config(config))
        reported = parts.get('test', parts['val'])
        evaluated = evaluated_batches(len(parts['val']), len(reported), plan.batch_size)
        max_iters = useful(iterations_within(minutes, seconds, evaluated), *amount)
    write_config(config, folder.resolve(), parts, chosen, plan, max_iters)
    former = None
    if before not in (None, config.read_bytes()):  # perhaps it was changed by hand
        former = config.with_name(f'{config.name}.bak')
        write_atomically(before, former)
    page = write_page(out, f'{out.resolve().name}: {labels.form}', parts, chosen, plan, labels.problems)
    return Prepared(config, page, parts, chosen, plan, labels, seconds, max_iters, former)


def _require_usable(out: Path, folder: Path, minutes: float | None) -> None:
    if out.resolve() == folder.resolve() or (out.exists() and not out.is_dir()):
        what = 'the folder of the data' if out.is_dir() else 'a file'
        raise UsageError(f'--out {out} is {what}: name another folder.')
    if any(letter in str(out.resolve()) for letter in '\'"\\'):
        raise UsageError(f'--out {out.resolve()}: a path with quotes or backslashes cannot stand in a config.')
    if minutes is not None and not 0 < minutes < math.inf:
        raise UsageError(f'--minutes {minutes:g} is no time to train for: take more than 0.')


def renamings(pairs: Sequence[str]) -> dict[str, str]:
    """Read `WRONG=RIGHT`, as the command line has it.

    Raises:
        UsageError: If a pair is none.
    """
    for pair in pairs:
        if not all(pair.partition('=')):
            raise UsageError(f'--rename takes WRONG=RIGHT, but got {pair}.')
    return {wrong: right for wrong, _, right in (pair.partition('=') for pair in pairs)}


def _choose_classes(labels: Labels, classes: Sequence[str], rename: Mapping[str, str]) -> tuple[str, ...]:
    """Return the classes in alphabetical order, or as asked for; other objects are left out of `labels`, and noted."""
    counts = labels.count()
    for name in rename:
        if name not in counts:
            raise BadDataError(f'--rename {name}=...: there is no such class; the classes are {_listed(counts)}.')
    _keep(labels, {name: rename.get(name, name) for name in counts})
    counts = labels.count()
    if missing := [name for name in classes if name not in counts]:
        raise BadDataError(
            f'There is no object of class {missing[0]!r} in the data; the classes are {_listed(counts)}.'
        )
    if classes:
        _keep(labels, {name: name for name in classes})
        return tuple(classes)
    if not counts:
        why = f'all were left out, the first because {labels.problems[0]}' if labels.problems else 'there is none'
        raise BadDataError(f'No object can be trained on: {why}.')
    if meant := likely_misspelt(counts):
        fixes = ' '.join(f'"{wrong}={right}"' for wrong, right in list(meant.items())[:NAMED])
        wrong = {name: counts[name] for name in meant}
        raise BadDataError(
            f'Some classes look like misspellings of others: {_listed(wrong)}. Add --rename {fixes}, or '
            f'--classes with all that are meant to be (the data has {_listed(counts)}).'
        )
    return tuple(sorted(counts))


def _keep(labels: Labels, names: Mapping[str, str]) -> None:
    """Call classes by other names, and leave out objects of classes that have none."""
    for index, image in enumerate(labels.images):
        for each in image.objects:
            if each.name not in names and not each.difficult:
                labels.note(Kind.NOT_ASKED_FOR, image.path, f'an object of {each.name!r}')
        objects = [replace(each, name=names[each.name]) for each in image.objects if each.name in names]
        labels.images[index] = replace(image, objects=objects)


def _listed(counts: Mapping[str, int]) -> str:
    """Write the most frequent classes with their numbers of objects."""
    listed = [f'{name!r} ({count})' for name, count in Counter(counts).most_common(NAMED)]
    more = len(counts) - len(listed)
    return ', '.join(listed) + (f' and {more} more' if more > 0 else '')
