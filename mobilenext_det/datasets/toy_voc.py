"""Maker of a synthetic data set in full VOC2007 layout, for running every part of the project without a download.

Its classes bear the names of the 20 VOC classes but are abstract emblems (see `toy_shapes`): a result on it says that
training works and lets two models be compared, nothing about photographs.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tempfile
import xml.etree.ElementTree as ET
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_jpeg

from .toy_scenes import CLASSES, SPLITS, SceneObject, draw_scene

VERSION = 5  # raise it when the same parameters draw other scenes than before
JPEG_QUALITY = 92
MIN_SIZE = 96  # least long side of an image


def _xml(filename: str, image: np.ndarray, objects: list[SceneObject]) -> str:
    root = ET.Element('annotation')

    def add(parent: ET.Element, **fields: object) -> None:
        for tag, value in fields.items():
            ET.SubElement(parent, tag).text = str(value)

    add(root, folder='VOC2007', filename=filename)
    add(
        ET.SubElement(root, 'source'),
        database='The toy VOC database of mobilenext_det',
        annotation='PASCAL VOC2007',
        image='synthetic',
    )
    height, width, depth = image.shape
    add(ET.SubElement(root, 'size'), width=width, height=height, depth=depth)
    add(root, segmented=0)
    for item in objects:
        node = ET.SubElement(root, 'object')
        add(
            node,
            name=item.name,
            pose='Unspecified',
            truncated=int(item.truncated),
            difficult=int(item.difficult),
        )
        add(ET.SubElement(node, 'bndbox'), **dict(zip(('xmin', 'ymin', 'xmax', 'ymax'), item.box, strict=True)))
    ET.indent(root, '\t')
    return ET.tostring(root, encoding='unicode') + '\n'


def _write_scene(job: tuple[str, int, str], folder: Path, seed: int, size: int) -> tuple[str, str, list[SceneObject]]:
    split, index, name = job
    image, objects = draw_scene(seed, split, index, size)
    write_jpeg(image, folder / 'JPEGImages' / f'{name}.jpg', JPEG_QUALITY)
    (folder / 'Annotations' / f'{name}.xml').write_text(_xml(f'{name}.jpg', image, objects))
    return split, name, objects


def _write_image_sets(folder: Path, scenes: list[tuple[str, str, list[SceneObject]]]) -> None:
    """Write the images of every split, and for every class whether they show it: 1, 0 (difficult only) or -1."""
    trainval = [scene for scene in scenes if scene[0] == 'trainval']
    splits = {
        'trainval': trainval,
        'train': trainval[::2],
        'val': trainval[1::2],
        'test': [scene for scene in scenes if scene[0] == 'test'],
    }
    for split, members in splits.items():
        (folder / f'{split}.txt').write_text(''.join(f'{name}\n' for _, name, _ in members))
        for label in CLASSES:
            lines = []
            for _, name, objects in members:
                difficult = [item.difficult for item in objects if item.name == label]
                lines.append(f'{name} {-1 if not difficult else int(not all(difficult)):2d}\n')
            (folder / f'{label}_{split}.txt').write_text(''.join(lines))


def _start_worker() -> None:
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle


def _write_set(folder: Path, record: dict[str, int], workers: int) -> None:
    for part in ('JPEGImages', 'Annotations', 'ImageSets/Main'):
        (folder / part).mkdir(parents=True)
    order = [(split, index) for split in SPLITS for index in range(record[split])]
    jobs = [(split, index, f'{number:06d}') for number, (split, index) in enumerate(order, 1)]
    write = partial(_write_scene, folder=folder, seed=record['seed'], size=record['size'])
    with multiprocessing.Pool(workers, _start_worker) as pool:
        results = pool.imap(write, jobs, chunksize=8)
        scenes = list(track(results, 'Drawing synthetic VOC scenes', total=len(jobs)))
    _write_image_sets(folder / 'ImageSets' / 'Main', scenes)
    (folder / 'toy_voc.json').write_text(json.dumps(record, indent=2) + '\n')


def _is_made(folder: Path, record: dict[str, int]) -> bool:
    """Whether this very set is there in full; UsageError if there is anything else."""
    if not folder.exists():
        return False
    note = folder / 'toy_voc.json'
    found = json.loads(note.read_text()) if note.exists() else 'no toy_voc.json'
    if found != record:
        raise UsageError(
            f'{folder} holds another data set ({found}, wanted {record}): name another folder, or delete this one.'
        )
    images = record['trainval'] + record['test']
    for part in ('JPEGImages', 'Annotations'):
        count = len(list((folder / part).iterdir())) if (folder / part).exists() else 0
        if count != images:
            raise UsageError(
                f'{folder / part} holds {count} files where {images} were made: delete {folder} and make it again.'
            )
    return True


def make_toy_voc(
    out: str | Path,
    trainval: int = 1500,
    test: int = 500,
    seed: int = 0,
    size: int = 160,
    workers: int | None = None,
) -> bool:
    """Make a synthetic VOC2007 in out/VOC2007, so that `out` serves as the data root of every config.

    Every scene depends on seed, split, number in the split and size alone: not on `workers`, nor on how many scenes
    there are. The set appears complete or not at all. If the same set is there already, nothing is done.

    Args:
        out: Folder in which VOC2007 is made.
        trainval: Number of training and validation images; train.txt and val.txt name every second one.
        test: Number of held-out images.
        seed: Seed of the whole set.
        size: Long side of the images in pixels.
        workers: Number of processes; the number of CPU cores if None.

    Returns:
        True if the set was made, False if it was there.

    Raises:
        UsageError: If a number is too small, or out/VOC2007 is anything else than this very set.
    """
    if min(trainval, test) < 1 or size < MIN_SIZE:
        raise UsageError(f'trainval={trainval} and test={test} must be 1 or more, and size={size} {MIN_SIZE} or more.')
    out = Path(out)
    record = {'version': VERSION, 'trainval': trainval, 'test': test, 'seed': seed, 'size': size}
    if _is_made(out / 'VOC2007', record):
        return False
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix='.making-', dir=out) as making:
        folder = Path(making) / 'VOC2007'
        _write_set(folder, record, workers or os.cpu_count() or 1)
        try:
            folder.rename(out / 'VOC2007')
        except OSError:
            if _is_made(out / 'VOC2007', record):  # another process was faster
                return False
            raise
    return True
