"""Inject every fault, and write what came of it: docs/reliability.json, and its table in docs/reliability.md.

python -m tests.faults.campaign                  # all of it: `make faults`
python -m tests.faults.campaign --count 100      # a tenth of the damaged files and of the kills
python -m tests.faults.campaign --only config    # one row of the table again
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import torch

from mobilenext_det.files import write_atomically
from tests.faults import inert, kills, machine, page
from tests.faults.contained import outcomes
from tests.faults.inputs import kinds
from tests.faults.world import ROOT, World

RECORD = ROOT / 'docs' / 'reliability.json'
PAGE = ROOT / 'docs' / 'reliability.md'
MARKS = '<!-- table -->', '<!-- end -->'


class Fault(NamedTuple):
    """A kind of fault.

    Attributes:
        name: What the table calls it.
        inject: Injects it some times, and yields what came of each: a fault of ours begins with 'FAULT'.
    """

    name: str
    inject: Callable[[], Iterator[str]]


def faults(world: World, count: int) -> list[Fault]:
    """Return all faults, for a world.

    Args:
        world: What they are injected in.
        count: Damaged files of each kind; a tenth of it is the number of kills of a training.
    """
    few = max(1, count // 10)
    works = [
        work(world, world.folder / work.what.replace(' ', '-'))
        for work in (kills.Training, kills.RunFile, kills.Report)
    ]
    return [
        *(Fault(f'SIGKILL while a {work.what} is written', lambda work=work: kills.kill(work, few)) for work in works),
        *(Fault(name, lambda inject=inject: _each(inject, world)) for name, inject in machine.TROUBLES.items()),
        *(
            Fault(f'damaged: {kind.name}', lambda kind=kind: outcomes(kind.read_input, list(kind.inputs(count))))
            for kind in kinds(world)
        ),
        Fault('checkpoint that carries code', lambda: inert.outcomes_of_attempts(world, count)),
        Fault('page: uploads and what is asked of it', lambda: page.outcomes_of_requests(world, max(2, count // 20))),
    ]


def _each(inject: Callable[[World, Path], str], world: World) -> Iterator[str]:
    yield inject(world, world.folder / inject.__name__)


def run(world: World, count: int, only: str = '') -> dict:
    """Inject the faults whose name has a word in it, all by default, and return the record."""
    record = {}
    for fault in faults(world, count):
        if only not in fault.name:
            continue
        start = time.perf_counter()
        counts = Counter(fault.inject())
        seconds = round(time.perf_counter() - start)
        record[fault.name] = dict(injected=counts.total(), outcomes=dict(counts.most_common()), seconds=seconds)
        print(f'{fault.name}: {dict(counts)}, {seconds} s', flush=True)
    return record


def broken(record: dict) -> int:
    """Count what ended otherwise than it should."""
    ends = [(end, count) for row in record.values() for end, count in row['outcomes'].items()]
    return sum(count for end, count in ends if end.startswith('FAULT'))


def table(record: dict) -> str:
    """Return the record as a table."""
    lines = ['| injected | times | what came of it | lost or wrong | minutes |', '|:--|--:|:--|--:|--:|']
    for name, row in record.items():
        fine = ', '.join(f'{count} {end}' for end, count in row['outcomes'].items() if not end.startswith('FAULT'))
        lines.append(f'| {name} | {row["injected"]} | {fine} | {broken({name: row})} | {row["seconds"] / 60:.1f} |')
    return '\n'.join(lines)


def write(record: dict, path: Path) -> None:
    """Write the record, and its table between the marks of the page beside it."""
    text = path.with_suffix('.md').read_text()
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    write_atomically(f'{json.dumps(record, indent=2)}\n'.encode(), path)
    made = f'{before}{MARKS[0]}\n\n{table(record)}\n\n{MARKS[1]}{after}'
    write_atomically(made.encode(), path.with_suffix('.md'))


def main() -> int:
    """Run the campaign; 1 if anything was lost or wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--count', type=int, default=1000, help='damaged files of each kind (default: %(default)s)')
    parser.add_argument('--only', default='', help='a word: the faults with it in their name; the other rows stay')
    parser.add_argument('--record', type=Path, default=RECORD, help='JSON file; the page beside it gets the table')
    arguments = parser.parse_args()
    if arguments.only and not arguments.record.is_file():
        parser.error(f'There is no {arguments.record}, whose other rows would stay: run without --only first.')
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    kept = json.loads(arguments.record.read_text()) if arguments.only else {}
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.make()
        names = [fault.name for fault in faults(world, arguments.count)]
        if not any(arguments.only in name for name in names):
            parser.error(f'No fault has {arguments.only!r} in its name: {", ".join(names)}.')
        record = run(world, arguments.count, arguments.only)
    merged = {**kept, **record}
    write({name: merged[name] for name in names if name in merged}, arguments.record)
    print(f'{broken(record)} of {sum(row["injected"] for row in record.values())} faults did harm.')
    return int(broken(record) > 0)


if __name__ == '__main__':
    sys.exit(main())
