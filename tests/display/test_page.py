"""A page: every text is escaped, pictures are in it, and tables say what their other renderings say."""

import base64
import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mobilenext_det.display.page import Section, Tiles, html_page
from mobilenext_det.display.palette import PALETTE
from mobilenext_det.display.tables import Column, Table, number, percent

NAMES = ('<script>alert("x")</script>', "\"onload='x'", 'Käfer & Söhne', '🐈 猫', '{{ 7 * 7 }}', '&lt;')


class Page(HTMLParser):
    """Collects the tags, the texts between them, attributes and table cells."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.texts, self.attributes, self.rows = [], [], [], []
        self.cell = False
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag == 'tr':
            self.rows.append([])
        if tag in ('td', 'th'):
            self.rows[-1].append('')
            self.cell = True

    def handle_endtag(self, tag):
        if tag in ('td', 'th'):
            self.cell = False

    def handle_data(self, data):
        self.texts.append(data)
        if self.cell:
            self.rows[-1][-1] += data

    def has(self, key, value):
        return (key, value) in self.attributes


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / 'picture.png'
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (48, 96, 3), np.uint8)).save(path, dpi=(192, 192))
    return path


@pytest.mark.parametrize('name', NAMES)
def test_every_text_is_escaped(name, picture):
    table = Table([Column(name, words=True), Column('n')], [(name, name)], (name, 1))
    section = Section(name, [name], picture, table)
    page = Page(html_page(name, name, [section], name, tiles=[Tiles({name: name}, name)]))
    assert 'script' not in page.tags
    # Title, heading and note; the tiles' heading, number and name; the section's heading and note; four cells.
    assert page.texts.count(name) == 3 + 3 + 2 + 4
    assert any(f'{name} next to this page' in text for text in page.texts)
    assert page.has('alt', name)
    known = {'lang', 'charset', 'name', 'content', 'class', 'style', 'alt', 'src'}
    assert {key for key, _ in page.attributes} == known


def test_pictures_are_in_the_page_without_loss(picture):
    source = html_page('', '', [Section('a', picture=picture)], '')
    ((_, url),) = (item for item in Page(source).attributes if item[0] == 'src')
    with Image.open(io.BytesIO(base64.b64decode(url.removeprefix('data:image/webp;base64,')))) as stored:
        assert np.array_equal(np.asarray(stored), np.asarray(Image.open(picture)))
    assert Page(source).has('style', 'width:48px')
    photos = html_page('', '', [Section('a', picture=picture, photos=True)], '')
    assert len(photos) < len(source)


def test_a_table_says_the_same_in_all_renderings():
    table = Table(
        [Column('class', words=True), Column('AP', percent, bar=1), Column('objects', number)],
        [('cat', 1 / 3, 1234), ('emu', float('nan'), 0), ('gnu', None, 0)],
        ('all', 1 / 3, 1234),
    )
    page = Page(html_page('', '', [Section('', table=table)], ''))
    lines = [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.markdown().splitlines()]
    assert page.rows[0] == lines[0] == ['class', 'AP', 'objects']
    assert [*page.rows[2:], page.rows[1]] == lines[2:]
    columns = table.rich().columns
    assert [list(map(str, row)) for row in zip(*(column.cells for column in columns), strict=True)] == lines[2:]
    assert lines[-1] == ['all', '33.33', '1,234']
    assert [style for key, style in page.attributes if key == 'style'] == [
        f'width:{width}%;background:{PALETTE[1]}' for width in ('33.3', '33.3', '0.0', '0.0')
    ]


@pytest.mark.parametrize(('count', 'columns'), [(1, 1), (6, 6), (7, 4), (8, 4)])
def test_tiles_stand_in_rows(count, columns):
    page = Page(html_page('', '', [], '', tiles=[Tiles({str(index): 'x' for index in range(count)})]))
    assert page.has('style', f'--columns:{columns}')
    assert page.attributes.count(('class', 'tile')) == count
    assert 'h2' not in page.tags
