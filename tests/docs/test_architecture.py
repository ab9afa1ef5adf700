"""docs/architecture.md says what is there: the layers of the contract, files that exist, names that are in them."""

import ast
import re
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs' / 'architecture.md'
SYMBOL = re.compile(r'`(\w+)` in \[[^]]+\]\(([^)]+\.py)\)')
KINDS = [
    'a backbone',
    'a neck',
    'a dataset format',
    'an augmentation',
    'NMS',
    'an export format',
    'a metric',
    'a benchmark',
    'a report column',
    'an ablation row',
]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its head."""
    section = PAGE.read_text().split(f'\n## {heading}\n')[1].split('\n## ')[0]
    lines = [line for line in section.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines[2:]]


def names(path: Path) -> set[str]:
    """Return what a file of Python defines: classes, functions, methods, assigned names and keyword arguments."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.keyword(arg=str(name)):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
    return found


def test_the_arrows_are_those_of_the_contract():
    contracts = tomllib.loads((ROOT / 'pyproject.toml').read_text())['tool']['importlinter']['contracts']
    (layers,) = (contract['layers'] for contract in contracts if contract['type'] == 'layers')
    drawn = [re.findall(r'`(\w+)`', layer) for layer, _ in rows('The arrows')]
    assert drawn == [layer.split(' | ') for layer in layers]


def test_every_kind_of_change_has_a_place():
    assert [what for what, *_ in rows('To change X, go to Y')] == KINDS
    assert [what.split(':')[0] for what, *_ in rows('What a change touches')] == KINDS


@pytest.mark.parametrize(('name', 'link'), SYMBOL.findall(PAGE.read_text()))
def test_every_name_is_in_its_file(name, link):
    assert name in names(PAGE.parent / link)


def test_names_are_found_in_every_row():
    assert all(SYMBOL.search(' '.join(row)) or '.py)' in ' '.join(row) for row in rows('To change X, go to Y'))
