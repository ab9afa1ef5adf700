"""The page about a data set: what is in it, how the priors fit, and what is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure

from mobilenext_det.datasets.problems import Problem, first_examples
from mobilenext_det.display.page import Section, Tiles, html_page
from mobilenext_det.display.tables import Column, Table, number, percent
from mobilenext_det.files import write_atomically

from .charts import sizes_against_priors, thumbnails
from .labels import LabelledImage
from .plan import Plan

NUMBERS = 'data.json'


def write_page(
    folder: Path,
    title: str,
    parts: Mapping[str, Sequence[LabelledImage]],
    classes: Sequence[str],
    plan: Plan,
    problems: Sequence[Problem],
) -> Path:
    """Write data.html, its pictures and data.json.

    Args:
        folder: Where they go.
        title: Heading of the page.
        parts: The images of each part of the data.
        classes: The classes.
        plan: What was chosen.
        problems: Every problem.

    Returns:
        The page.
    """
    numbers = dict(
        images={part: len(images) for part, images in parts.items()},
        objects={part: _count(images) for part, images in parts.items()},
        plan=asdict(plan),
        problems=[dict(each._asdict(), kind=each.kind.text) for each in problems],
    )
    write_atomically(json.dumps(numbers, indent=1, ensure_ascii=False).encode(), folder / NUMBERS)
    train = parts['train']
    pictures = {
        'boxes.png': sizes_against_priors(train, classes, plan),
        'thumbnails.png': thumbnails([image for images in parts.values() for image in images]),
    }
    for name, figure in pictures.items():
        _save(figure, folder / name)
    sections = [
        Section('Objects by class', table=class_table(parts, classes)),
        Section(
            'What is wrong',
            ['Nothing was found.'] if not problems else [str(each) for each in first_examples(problems)],
            table=problem_table(problems) if problems else None,
        ),
        Section(
            'Sizes of objects and priors',
            ['A prior is assigned to an object from an IoU of 0.5: share of the objects that have one.'],
            folder / 'boxes.png',
            recall_table(plan),
        ),
        Section('As they were read', picture=folder / 'thumbnails.png', photos=True),
    ]
    tiles = Tiles(
        {part: f'{len(images)} images' for part, images in parts.items()}
        | dict(classes=str(len(classes)), input=f'{plan.input_size} px', problems=number(len(problems)))
    )
    page = folder / 'data.html'
    write_atomically(html_page(title, '', sections, NUMBERS, tiles=[tiles]).encode(), page)
    return page


def class_table(parts: Mapping[str, Sequence[LabelledImage]], classes: Sequence[str]) -> Table:
    """Return how many objects of each class every part has."""
    counts = {part: _count(images) for part, images in parts.items()}
    table = Table([Column('class', words=True), *(Column(part, number) for part in parts)])
    for name in classes:
        table.add_row(name, *(count[name] for count in counts.values()))
    table.total = ('all', *(count.total() for count in counts.values()))
    return table


def problem_table(problems: Sequence[Problem]) -> Table:
    """Return how often each kind of problem occurs and what was done about it."""
    table = Table([Column('problem', words=True), Column('count', number), Column('action', words=True)])
    for (kind, action), count in Counter((each.kind.text, each.kind.action) for each in problems).most_common():
        table.add_row(kind, count, action)
    return table


def recall_table(plan: Plan) -> Table:
    """Return how many objects have a prior, with the authors' priors and with the fitted ones."""
    table = Table(
        [
            Column('objects, side at the input', words=True),
            Column('objects', number),
            Column("authors' priors, %", percent),
            Column('fitted, %', percent),
        ]
    )
    for each in plan.recall:
        table.add_row(each.size, each.objects, each.before, each.after)
    return table


def _count(images: Sequence[LabelledImage]) -> Counter[str]:
    return Counter(each.name for image in images for each in image.objects)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=160)
