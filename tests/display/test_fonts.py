"""Names in any letters: drawn where a font has them, else by their numbers."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from mobilenext_det.display.drawing import draw_detections
from mobilenext_det.display.fonts import LONGEST, drawable, font_file, styled

ODD = (
    '$x$',
    '{}',
    '%s',
    '_a',
    '\\frac{1}',
    'a\nb',
    '\x00',
    '\ud800',
    '\U0010fffd',
    '猫',
    '한',
    'e\u0301',
    '[b]',
    '',
    'n' * 300,
)


def test_letters_that_the_font_has_stay():
    assert drawable('dog é Ж $x$ _a') == 'dog é Ж $x$ _a'
    assert Path(font_file('dog')[0]).name == 'DejaVuSans.ttf'


@pytest.mark.parametrize(
    ('letter', 'number'),
    [('\n', '\\n'), ('\x00', '\\x00'), ('\ud800', '\\ud800'), ('\u200b', '\\u200b'), ('\U0010fffd', '\\U0010fffd')],
)
def test_what_no_font_has_is_shown_by_its_number(letter, number):
    assert drawable(f'a{letter}') == f'a{number}'
    assert font_file(f'a{letter}')[1] == f'a{number}'


def test_long_names_are_shortened():
    assert len(drawable('n' * 300)) == LONGEST and drawable('n' * 300).endswith('n...')
    assert font_file(f'{"n" * 300} 0.50')[1].endswith('... 0.50')


@pytest.mark.parametrize('name', ODD)
def test_every_name_is_drawn_on_pictures(name):
    drawn = draw_detections(
        np.zeros((100, 320, 3), np.uint8), [dict(**{'class': name}, score=0.5, box=[10, 50, 60, 90])], [name]
    )
    assert drawn.any()


def test_every_name_is_drawn_in_charts(tmp_path):
    with warnings.catch_warnings(), styled(ODD):
        warnings.simplefilter('error')
        figure = Figure(figsize=(8, 8))
        axes = figure.subplots()
        axes.set_yticks(range(len(ODD)), [drawable(name) for name in ODD])
        figure.savefig(tmp_path / 'a.png')
