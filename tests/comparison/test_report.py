"""The report as files and on the terminal: what it says is what was measured, and nothing has to be loaded."""

import json
import re

import pytest
from PIL import Image

from mobilenext_det.comparison.intervals import compare_runs
from mobilenext_det.comparison.report import accuracy_table, cost_table, notes, print_table, write_report

LATENCY = {
    'rows': [
        dict(network='good', form='pytorch', precision='fp32', milliseconds=12.34),
        dict(network='good', form='onnx', precision='int8', milliseconds=3.21),
    ],
    'images': 50,
    'cpu': 'a processor',
    'threads': 2,
}


@pytest.fixture(scope='module')
def runs(run_of):
    return {'good': [run_of('good', seed, wrong=0.1) for seed in range(2)], 'a<b': [run_of('a<b', 0, wrong=0.6)]}


@pytest.fixture(scope='module')
def numbers(runs):
    return compare_runs(runs, LATENCY)


@pytest.fixture(scope='module')
def written(runs, numbers, tmp_path_factory):
    page = write_report(tmp_path_factory.mktemp('out'), numbers, runs)
    return page.parent


def test_tables_show_the_numbers(numbers):
    good, other = accuracy_table(numbers)[1]
    mean = numbers['configs']['good']['mAP_area']
    assert good[:2] == ['good', '2']
    assert good[3] == f'{100 * mean["mean"]:.2f} ± {100 * mean["sd"]:.2f}'
    assert good[4:] == ['-', '-']
    assert '±' not in other[2]  # one run has no spread
    difference = numbers['configs']['a<b']['difference']['mAP_11points']
    low, high = (100 * end for end in difference['interval'])
    assert other[4] == f'{100 * difference["mean"]:+.2f} [{low:+.2f}, {high:+.2f}]'
    assert cost_table(numbers)[1][0] == ['good', '1,000', '9,000', '0.00', '8.5', '4', '12.3', '3.2']
    assert cost_table(numbers)[1][1][-2:] == ['-', '-']


def test_the_words_are_about_these_runs(numbers, run_of):
    text = ' '.join(notes(numbers))
    assert 'which images were drawn for the test and which seeds for the training' in text
    assert 'It does not cover another data set' in text
    assert 'A config with one run has no spread' in text
    assert 'Latency: one image at a time' in text
    three = {name: [run_of(name, seed) for seed in range(3)] for name in ('one', 'two')}
    text = ' '.join(notes(compare_runs(three)))
    assert '3 runs say little of the spread' in text
    assert 'one run' not in text
    assert 'Latency' not in text


def test_the_page_needs_nothing_else(written):
    page = (written / 'comparison.html').read_text()
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 4
    assert all(source.startswith('data:image/webp;base64,') for source in sources)
    assert 'a&lt;b' in page
    assert 'nan' not in re.sub(r'base64,[^"]*', '', page)


def test_markdown_has_whole_tables_and_the_pictures_are_there(written):
    text = (written / 'comparison.md').read_text()
    for table in re.findall(r'(?:^\|.*\n)+', text, re.MULTILINE):
        assert len({line.count('|') for line in table.splitlines()}) == 1
    names = re.findall(r'\]\((plots/\w+\.png)\)', text)
    assert len(names) == 4
    for name in names:
        with Image.open(written / name) as picture:
            assert picture.width > 1000


def test_json_has_all_digits(written, numbers):
    assert json.loads((written / 'comparison.json').read_text()) == numbers


def test_checkpoints_alone_have_no_curves(run_of, tmp_path):
    runs = {name: [run_of(name, 0, curve=False)] for name in ('one', 'two')}
    write_report(tmp_path, compare_runs(runs), runs)
    assert 'Learning curves' not in (tmp_path / 'comparison.md').read_text()
    assert not (tmp_path / 'plots' / 'curves.png').exists()


def test_the_terminal_shows_both_tables(numbers, capsys):
    print_table(numbers)
    shown = capsys.readouterr().out
    for text in ('mAP 11 points', 'PyTorch, ms', 'ONNX Runtime int8, ms', 'a<b', '12.3', '3.2', '12 test images'):
        assert text in shown
