"""The eight kinds of files that a person hands in, how each is damaged, and what reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.faults import mutation
from tests.faults.contained import replaced
from tests.faults.readers import Readers
from tests.faults.world import World


class Input(NamedTuple):
    """A damaged file.

    Attributes:
        path: The file that it stands in for.
        data: Its content.
    """

    path: Path
    data: bytes


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        name: What the table calls it.
        originals: Whole files.
        damage: Makes damaged content of a whole one.
        read: Does with a damaged file, in its place, what a tool does; says 'read' or 'skipped', or raises.
    """

    name: str
    originals: list[Path]
    damage: Callable[[bytes, Random], bytes]
    read: Callable[[Path], str]

    def inputs(self, count: int, seed: int = 0) -> Iterator[Input]:
        """Yield damaged files that differ from whole ones."""
        random = Random(f'{self.name} {seed}')
        whole = {path: path.read_bytes() for path in self.originals}
        while count:
            path = random.choice(self.originals)
            data = self.damage(whole[path], random)
            if data != whole[path]:
                count -= 1
                yield Input(path, data)

    def read_input(self, one: Input) -> str:
        """Read a damaged file in the place of the whole one, which is put back."""
        with replaced(one.path, one.data):
            return self.read(one.path)


def kinds(world: World) -> list[Kind]:
    """Return the eight kinds, with whole files of a world."""
    read = Readers(world)
    xml = [world.voc / 'Annotations' / f'{name}.xml' for name in world.ids]
    jpeg = [world.voc / 'JPEGImages' / f'{name}.jpg' for name in world.ids]
    return [
        Kind('VOC annotation (XML)', xml, mutation.in_text, read.voc),
        Kind('split file', [world.split], mutation.in_text, read.voc),
        Kind('COCO annotations (JSON)', [world.coco], mutation.in_json, read.coco),
        Kind('picture (JPEG, PNG)', [*jpeg, world.picture], _in_picture, read.picture),
        Kind('data part of a config', [world.settings], mutation.in_values, read.settings),
        Kind('checkpoint', [world.checkpoint], _in_archive, read.checkpoint),
        Kind('run file of a comparison', [world.run_file], mutation.in_json, read.run_file),
        Kind('ONNX file', [world.onnx], _in_archive, read.onnx),
    ]


def _in_picture(data: bytes, random: Random) -> bytes:
    return random.choice((mutation.in_bytes, mutation.in_head))(data, random)


def _in_archive(data: bytes, random: Random) -> bytes:
    """Damage weights, or the head or the end, where the structure is."""
    place = random.randrange(3)
    if place == 0:
        return mutation.in_bytes(data, random)
    return mutation.in_head(data, random) if place == 1 else data[:-1500] + mutation.in_bytes(data[-1500:], random)
