"""What a search finds: the operations of two cells, as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from mobilenext_det.errors import UsageError
from mobilenext_det.files import write_atomically

from .operations import NONE, operations_of

NODES = 4
INPUTS = 2
CELLS = ('normal', 'reduce')


class Edge(NamedTuple):
    """What leads into a node.

    Attributes:
        operation: The operation.
        source: The state that it reads: 0 and 1 are the cell's inputs (of the cell before the last, and the last),
            2 to 4 the nodes before.
    """

    operation: str
    source: int


Cell = tuple[tuple[Edge, Edge], ...]


@dataclass(frozen=True)
class Genotype:
    """The two cells of a network: each of four nodes has two edges; a cell's output is the nodes' concatenation.

    Attributes:
        space: The search space that it is of.
        normal: The edges of each node of the cells that keep the size.
        reduce: Those of the cells that halve it: edges that read an input have stride 2.
    """

    space: str
    normal: Cell
    reduce: Cell

    def edges(self) -> Iterator[Edge]:
        """Yield the edges of both cells, sixteen in all."""
        for cell in (self.normal, self.reduce):
            for node in cell:
                yield from node

    def share(self, operation: str) -> float:
        """Return the share of the edges of both cells that have an operation."""
        operations = [edge.operation for edge in self.edges()]
        return operations.count(operation) / len(operations)

    def summary(self) -> str:
        """Return how many edges have each operation, such as '9 sandglass, 7 skip_connect'."""
        counts = Counter(edge.operation for edge in self.edges())
        return ', '.join(f'{count} {operation}' for operation, count in counts.most_common())

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON: `space`, and `normal` and `reduce` as lists of nodes."""
        return dict(space=self.space, normal=_as_lists(self.normal), reduce=_as_lists(self.reduce))

    def write(self, path: str | Path) -> None:
        """Write it as JSON, one node a line.

        Args:
            path: The file; its folder must exist.
        """
        cells = [
            f'  "{name}": [\n    ' + ',\n    '.join(map(json.dumps, nodes)) + '\n  ]'
            for name, nodes in ((name, self.as_dict()[name]) for name in CELLS)
        ]
        text = ',\n'.join([f'{{\n  "space": {json.dumps(self.space)}', *cells]) + '\n}\n'
        write_atomically(text.encode(), path)


def read_genotype(source: str | Path | Mapping[str, Any], space: str | None = None) -> Genotype:
    """Read a genotype and check that a network can be made of it.

    Args:
        source: The JSON file, or what one holds.
        space: The search space that it must be of; None for any.

    Raises:
        UsageError: If there is no such file, it holds no genotype, is of another space, or has an operation or an edge
            that its space has not.
    """
    name = 'The genotype' if isinstance(source, Mapping) else str(source)
    data = source if isinstance(source, Mapping) else _load(Path(source))
    found = data.get('space') if isinstance(data, Mapping) else None
    if not isinstance(found, str) or not set(CELLS) <= data.keys():
        raise UsageError(f'{name} holds no genotype: tools/search.py writes one, with "space", "normal" and "reduce".')
    if space is not None and found != space:
        raise UsageError(
            f'{name} is of the search space {found!r}, but {space!r} is asked for: give a genotype of that space, or '
            f'set space={found!r}.'
        )
    normal, reduce = (_read_cell(data[cell], found, f'{name}, {cell}') for cell in CELLS)
    return Genotype(found, normal, reduce)


def _load(path: Path) -> Any:
    if not path.is_file():
        raise UsageError(f'There is no genotype {path}: tools/search.py writes one.')
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise UsageError(f'{path} holds no genotype: it is not JSON ({error}).') from error


def _read_cell(nodes: Any, space: str, name: str) -> Cell:
    operations = [operation for operation in operations_of(space) if operation != NONE]
    if not isinstance(nodes, list | tuple) or len(nodes) != NODES:
        raise UsageError(f'{name} is no cell: it must list {NODES} nodes.')
    cell = []
    for index, node in enumerate(nodes):
        where = f'{name}, node {index}'
        try:
            (first, source_1), (second, source_2) = node
        except (TypeError, ValueError):
            raise UsageError(f'{where} must be two pairs of an operation and what it reads, but is {node}.') from None
        for operation, source in ((first, source_1), (second, source_2)):
            if operation not in operations:
                raise UsageError(
                    f'{where}: {operation!r} is no operation of the search space {space!r}, which has '
                    f'{", ".join(operations)}.'
                )
            if type(source) is not int or not 0 <= source < INPUTS + index:
                raise UsageError(f'{where} can read states 0 to {INPUTS + index - 1}, but reads {source!r}.')
        cell.append((Edge(first, source_1), Edge(second, source_2)))
    return tuple(cell)


def _as_lists(cell: Cell) -> list[list[list[Any]]]:
    return [[list(edge) for edge in node] for node in cell]
