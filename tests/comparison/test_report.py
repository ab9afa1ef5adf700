"""The report as files and on the terminal: what it says is what was measured, and nothing has to be loaded."""

import json
import re

import pytest
from PIL import Image

from mobilenext_det.comparison.intervals import compare_runs
from mobilenext_det.comparison.notes import notes
from mobilenext_det.comparison.report import print_tables, write_report
from mobilenext_det.comparison.tables import accuracy_table, cost_table
from mobilenext_det.speed.latency import Latencies, Latency

LATENCIES = Latencies(
    [Latency('good', 'pytorch', 'fp32', 12.34), Latency('good', 'onnx', 'int8', 3.21)],
    images=50,
    cpu='a processor',
    threads=2,
)


@pytest.fixture(scope='module')
def runs(run_of):
    return {'good': [run_of('good', seed, wrong=0.1) for seed in range(2)], 'a<b': [run_of('a<b', 0, wrong=0.6)]}


@pytest.fixture(scope='module')
def numbers(runs):
    return compare_runs(runs, LATENCIES)


@pytest.fixture(scope='module')
def written(numbers, tmp_path_factory):
    page = write_report(tmp_path_factory.mktemp('out'), numbers)
    return page.parent


def test_tables_show_the_numbers(numbers):
    good, other = accuracy_table(numbers).texts()
    mean = numbers.configs['good'].mAP['area']
    assert good[:2] == ['good', '2']
    assert good[3] == f'{100 * mean.mean:.2f} ± {100 * mean.sd:.2f}'
    assert good[4:] == ['-', '-']
    assert '±' not in other[2]  # one run has no spread
    difference = numbers.configs['a<b'].difference.mAP['11points']
    low, high = (100 * end for end in difference.interval)
    assert other[4] == f'{100 * difference.mean:+.2f} [{low:+.2f}, {high:+.2f}]'
    assert cost_table(numbers).texts()[0] == ['good', '1,000', '9,000', '0.00', '8.5', '4', '12.3', '3.2']
    assert cost_table(numbers).texts()[1][-2:] == ['-', '-']


def test_the_words_are_about_these_runs(numbers, run_of):
    said = notes(numbers)
    assert said.accuracy.startswith('12 test images. AP in percent')
    assert 'which images were drawn for the test and which seeds for the training' in said.intervals
    assert said.limits[0].startswith('It does not cover another data set')
    assert said.limits[1].startswith('A config with one run has no spread')
    assert said.cost[0].startswith('Latency: one image at a time')
    assert said.meaning == [said.intervals, *said.limits, *said.cost]
    three = {name: [run_of(name, seed) for seed in range(3)] for name in ('one', 'two')}
    said = notes(compare_runs(three))
    assert said.limits[1].startswith('3 runs say little of the spread')
    assert 'one run' not in ' '.join(said.meaning)
    assert 'Latency' not in ' '.join(said.meaning)
    assert said.cost[0].startswith('Params and MAdds')


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
    assert json.loads((written / 'comparison.json').read_text()) == numbers.as_dict()


def test_checkpoints_alone_have_no_curves(run_of, tmp_path):
    runs = {name: [run_of(name, 0, curve=False)] for name in ('one', 'two')}
    write_report(tmp_path, compare_runs(runs))
    assert 'Learning curves' not in (tmp_path / 'comparison.md').read_text()
    assert not (tmp_path / 'plots' / 'curves.png').exists()


def test_the_terminal_shows_both_tables(numbers, capsys):
    print_tables(numbers)
    shown = capsys.readouterr().out
    for text in ('mAP 11 points', 'PyTorch, ms', 'ONNX Runtime int8, ms', 'a<b', '12.3', '3.2', '12 test images'):
        assert text in shown
