"""The report as files: a page that needs nothing else, pictures that open, numbers that are those of the evaluation."""

import base64
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobilenext_det.evaluation import Evaluated, EvaluationSet, ImageRecord, summarise
from mobilenext_det.evaluation.charts import average_precision_bars, confusion_map, precision_recall_curves
from mobilenext_det.evaluation.confusion import confusion_matrix
from mobilenext_det.evaluation.devkit_files import read_detections
from mobilenext_det.evaluation.errors import break_down
from mobilenext_det.evaluation.gallery import _window, worst_false_positives, worst_misses
from mobilenext_det.evaluation.report import write_report
from mobilenext_det.evaluation.tables import class_table, error_table
from mobilenext_det.evaluation.voc_files import read_ground_truth

CHARTS = ('average_precision.png', 'precision_recall.png', 'errors.png', 'confusion.png')
PHOTOS = ('false_positives.png', 'misses.png')


def evaluated(voc, name='ours'):
    truth = read_ground_truth(voc.root, 'test')
    detections, _ = read_detections(voc.detections, 'test', truth.classes, truth.image_ids)
    data = EvaluationSet(truth.classes, truth.image_ids, truth.image_paths, truth.objects, detections)
    return Evaluated(name, data, summarise(data, coco=True))


class Page(HTMLParser):
    """Collects what a page shows and what it would load; an element that is not closed fails."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.text, self.rows = [], [], '', []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in ('meta', 'img'):
            self.open.append(tag)
        if tag == 'tr':
            self.rows.append([])
        self.loads += [value for key, value in attrs if key in ('src', 'href')]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + ' '
        if self.open and self.open[-1] in ('th', 'td'):
            self.rows[-1].append(data)


def test_page_is_complete_and_needs_nothing_else(voc, tmp_path):
    one = evaluated(voc)
    path = write_report(tmp_path / 'report', [one], 'Cats & dogs')
    source = path.read_text()
    page = Page(source)
    assert len(page.loads) == len(CHARTS) + len(PHOTOS)
    assert all(item.startswith('data:image/webp;base64,') for item in page.loads)
    assert 'http' not in source and '<script' not in source and 'Cats &amp; dogs' in source
    for item in page.loads:
        with Image.open(io.BytesIO(base64.b64decode(item.split(',')[1]))) as image:
            assert min(image.size) > 100
    for name in CHARTS + PHOTOS:
        with Image.open(path.parent / name) as image:
            assert image.format == 'PNG' and np.ptp(np.asarray(image.convert('L'))) > 50
    for text in ('54.55', 'mAP, 11 points', 'dog', 'wrong class', 'neither to be found nor counted', '+1'):
        assert text in page.text
    assert 'nan' not in page.text
    numbers = json.loads((path.parent / 'summary.json').read_text())
    assert numbers['ours']['mAP_area'] == one.summary.mAP_area
    assert numbers['ours']['errors']['counts']['wrong class'] == 1


def test_two_sets_side_by_side(voc, tmp_path):
    first = evaluated(voc, 'first')
    voc.detect('dog', '000001 0.9 11 11 50 50', '000002 0.7 101 61 150 110')
    page = Page(write_report(tmp_path, [first, evaluated(voc, 'second')]).read_text())
    for text in ('AP 11 points, first', 'AP 11 points, second', '+45.45', 'mAP points lost, second', 'Of first.'):
        assert text in page.text
    assert json.loads((tmp_path / 'summary.json').read_text())['second']['per_class']['dog']['AP_area'] == 1.0


def test_images_that_are_not_at_hand(voc, tmp_path):
    for path in (voc.root / 'JPEGImages').iterdir():
        path.unlink()
    page = Page(write_report(tmp_path, [evaluated(voc)]).read_text())
    assert page.text.count('There are none, or their images are not at hand.') == 2
    assert len(page.loads) == len(CHARTS)


def test_nothing_to_find_and_nothing_found(voc, tmp_path):
    for name in ('cat', 'dog'):
        voc.detect(name)
    page = Page(write_report(tmp_path / 'unfound', [evaluated(voc)]).read_text())
    assert '0.00' in page.text
    for image_id in ('000001', '000002'):
        voc.annotate(image_id)
    page = Page(write_report(tmp_path / 'empty', [evaluated(voc)]).read_text())
    assert 'nan' not in page.text


def test_what_the_gallery_chooses(voc):
    one = evaluated(voc)
    false = worst_false_positives(one.data, one.summary, break_down(one.data, one.summary))
    assert [picture.caption for picture in false] == [
        'dog 0.70 · 000002\nwrong class on cat',
        'cat 0.50 · 000001\nduplicate',
    ]
    assert false[0].wrong.tolist() == false[0].truth.tolist() == [[20, 70, 59, 109]]
    misses = worst_misses(one.data, one.summary)
    assert [picture.caption for picture in misses] == ['dog · 000002\nnot found']
    assert misses[0].truth.tolist() == [[100, 60, 149, 109]]


@pytest.mark.parametrize('box', [[0, 0, 5, 5], [150, 100, 159, 119], [0, 0, 159, 119], [-30, -30, 300, 200]])
def test_the_piece_of_image_holds_the_box_and_lies_inside(box):
    x1, y1, x2, y2 = _window(np.array([box], float), (120, 160))
    assert 0 <= x1 <= max(box[0], 0) and 0 <= y1 <= max(box[1], 0)
    assert min(box[2], 160) <= x2 <= 160 and min(box[3], 120) <= y2 <= 120


def test_matplotlib_is_for_those_who_want_pictures():
    """Nothing that is imported with the package imports matplotlib; mmengine does, so `sys.modules` does not tell."""
    names = "[module.__file__ for name, module in sys.modules.items() if name.startswith('mobilenext_det')]"
    command = [sys.executable, '-c', f'import sys, mobilenext_det; print(*{names}, sep="\\n")']
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [line for line in printed if line.endswith('.py')]  # some stacks print of their own
    assert any(file.endswith('voc_metric.py') for file in files)
    for file in files:
        assert not re.search(r'^(from|import) matplotlib', Path(file).read_text(), re.MULTILINE), file


def test_an_image_that_cannot_be_read_is_passed_over(voc, tmp_path):
    (voc.root / 'JPEGImages/000002.jpg').write_bytes(b'\xff\xd8\xff no image')
    one = evaluated(voc)
    false = worst_false_positives(one.data, one.summary, break_down(one.data, one.summary))
    assert [picture.caption for picture in false] == ['cat 0.50 · 000001\nduplicate']
    assert worst_misses(one.data, one.summary) == []


STRANGE = ('<script>alert(1)</script>', 'say "cheese" & smile', 'Käfer', 'a|b', '[red]', '$x^2$ or $y')


def strangely_named():
    box = np.array([[10.0, 10, 49, 49]])
    boxes, labels = np.repeat(box, len(STRANGE), 0), np.arange(len(STRANGE))
    record = ImageRecord('1', '', boxes, labels, labels < 0, boxes, labels, labels / 10 + 0.1)
    data = EvaluationSet.from_records([record], STRANGE)
    return Evaluated('<b>mine</b>', data, summarise(data))


def test_strange_class_names_are_shown_as_they_are(tmp_path):
    source = write_report(tmp_path, [strangely_named()], '<i>title</i>').read_text()
    page = Page(source)
    assert '<script' not in source and '<i>' not in source
    for name in (*STRANGE, '<i>title</i>'):
        assert name in page.text
    assert list(json.loads((tmp_path / 'summary.json').read_text())['<b>mine</b>']['per_class']) == list(STRANGE)


def test_strange_class_names_are_no_mathematics_in_plots():
    one = strangely_named()
    bars = average_precision_bars(['mine'], [one.summary])
    curves = precision_recall_curves(['mine'], [one.summary])
    confusion = confusion_map(one.data.classes, confusion_matrix(one.data, 0.0))
    titles = [axes.title for axes in curves.axes]
    assert [title.get_text() for title in titles] == list(STRANGE)
    for texts in (bars.axes[0].get_yticklabels(), confusion.axes[0].get_xticklabels(), titles):
        assert set(STRANGE) <= {text.get_text() for text in texts}
        assert not any(text.get_parse_math() for text in texts)


def test_the_page_has_the_numbers_of_the_printed_tables(voc, tmp_path):
    one = evaluated(voc)
    page = Page(write_report(tmp_path, [one]).read_text())
    for table in (class_table(one.summary), error_table(['ours'], [break_down(one.data, one.summary)])):
        printed = [[cell.strip() for cell in line.split('|')[1:-1]] for line in table.markdown().splitlines()]
        for row in (printed[0], *printed[2:]):
            assert row in page.rows
