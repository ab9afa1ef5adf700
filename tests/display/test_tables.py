"""One table in three renderings: Markdown, rich, and HTML (tested with the page)."""

import io

import pytest
from rich.console import Console

from mobilenext_det.display.tables import Column, Table, number, percent, points

NAMES = (
    '<script>alert("x")</script>',
    'a|b',
    '[red]Müller & Söhne[/red]',
    '🐈 猫',
    '*not* `code`',
    '$a$b',
    'two\nlines',
)


def test_undefined_is_a_dash():
    for write in (percent, points, number):
        assert write(None) == write(float('nan')) == '-'


def test_numbers():
    assert (percent(0.12345), points(0.12345), points(-0.5), points(0.0)) == ('12.35', '+12.35', '-50.00', '+0.00')
    assert (number(1234567), number(0.98765, 3)) == ('1,234,567', '0.988')


def test_markdown_is_aligned_and_the_total_is_last():
    table = Table([Column('class', words=True), Column('AP', percent), Column('objects', number)])
    table.add_row('cat', 0.5, 1200)
    table.add_row('Käfer 🐞', None, 3)
    table.total = ('all', 0.5, 1203)
    assert table.markdown().splitlines() == [
        '| class    |    AP | objects |',
        '|----------|-------|---------|',
        '| cat      | 50.00 |   1,200 |',
        '| Käfer 🐞 |     - |       3 |',
        '| all      | 50.00 |   1,203 |',
    ]


def test_markdown_keeps_names_in_their_cells():
    lines = Table([Column('class', words=True)], [(name,) for name in NAMES]).markdown().splitlines()[2:]
    cells = [line.removeprefix('| ').removesuffix(' |').rstrip() for line in lines]
    assert cells == [
        r'\<script>alert("x")\</script>',
        r'a\|b',
        '[red]Müller & Söhne[/red]',
        '🐈 猫',
        r'\*not\* \`code\`',
        '$a$b',
        'two lines',
    ]


@pytest.mark.parametrize('name', NAMES[:-1])
def test_the_terminal_shows_names_as_they_are(name):
    console = Console(file=io.StringIO(), width=80)
    console.print(Table([Column(name, words=True), Column('AP', percent)], [(name, 0.25)]).rich())
    shown = console.file.getvalue()
    assert shown.count(name) == 2
    assert '25.00' in shown


def test_a_row_has_a_value_for_every_column():
    with pytest.raises(ValueError, match='shorter'):
        Table([Column('a'), Column('b')], [('x',)]).markdown()
