"""A part of the data as one file in COCO's JSON, which training reads; images stay where they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mobilenext_det.files import write_atomically

from .labels import LabelledImage


def write_coco(images: Sequence[LabelledImage], classes: Sequence[str], folder: Path, file: Path) -> None:
    """Write images and their objects.

    Args:
        images: The images.
        classes: Name of each class; the first is category 1.
        folder: What the names of the images are relative to.
        file: The file to write.
    """
    category = {name: number for number, name in enumerate(classes, start=1)}
    annotations = [
        dict(
            image_id=number,
            category_id=category[each.name],
            bbox=[round(value, 2) for value in (x1, y1, x2 - x1, y2 - y1)],
            area=round((x2 - x1) * (y2 - y1), 2),
            iscrowd=int(each.difficult),
        )
        for number, image in enumerate(images, start=1)
        for each in image.objects
        for x1, y1, x2, y2 in [each.box]
    ]
    content = dict(
        images=[
            dict(id=number, file_name=image.path.relative_to(folder).as_posix(), width=width, height=height)
            for number, image in enumerate(images, start=1)
            for width, height in [image.size]
        ],
        categories=[dict(id=number, name=name) for name, number in category.items()],
        annotations=[dict(id=number, **each) for number, each in enumerate(annotations, start=1)],
    )
    write_atomically(json.dumps(content, ensure_ascii=False, indent=1).encode(), file)
