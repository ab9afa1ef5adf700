"""The tool as people run it: its last line, its report, its sentences about bad input."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / 'tools' / 'eval_voc.py'


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the file as a script, in this process: importing the stack anew would take most of the time."""

    def run_tool(*arguments, code=0):
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(TOOL), run_name='__main__')
        assert end.value.code == code
        return capsys.readouterr()

    return run_tool


@pytest.fixture
def voc(tmp_path):
    """A dog that is found, and a cat that is found second; another dog is difficult."""
    (tmp_path / 'voc/Annotations').mkdir(parents=True)
    (tmp_path / 'voc/ImageSets/Main').mkdir(parents=True)
    (tmp_path / 'voc/ImageSets/Main/test.txt').write_text('a\n')
    objects = ''.join(
        f'<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{x}</xmin><ymin>1</ymin>'
        f'<xmax>{x + 39}</xmax><ymax>40</ymax></bndbox></object>'
        for name, difficult, x in (('dog', 0, 1), ('cat', 0, 101), ('dog', 1, 201))
    )
    (tmp_path / 'voc/Annotations/a.xml').write_text(f'<annotation>{objects}</annotation>')
    (tmp_path / 'found').mkdir()
    (tmp_path / 'found/comp4_det_test_dog.txt').write_text('a 0.9 1 1 40 40\na 0.8 201 1 240 40\n')
    (tmp_path / 'found/comp4_det_test_cat.txt').write_text('a 0.9 1 1 40 40\na 0.8 101 1 140 40\n')
    return tmp_path


def test_numbers_and_report(voc, run):
    arguments = ('--voc-root', voc / 'voc', '--split', 'test', '--detections', voc / 'found')
    output = run(*arguments, '--classes', 'dog', 'cat', '--out', voc / 'report', '--coco', '--json').out
    numbers = json.loads(output.splitlines()[-1])
    assert (numbers['mAP_11points'], numbers['mAP_area']) == (0.75, 0.75)
    assert [numbers[key] for key in ('images', 'ground_truths', 'difficult', 'detections')] == [1, 2, 1, 4]
    assert numbers['per_class']['dog']['AP_area'] == 1.0
    assert numbers['per_class']['cat']['AP_11points'] == 0.5
    assert numbers['coco']['AP50'] == pytest.approx(0.75)
    assert 'Not evaluated, because they are not among --classes: aeroplane, ' in output
    assert '| dog   |       1 |         1 |          2 |  1 |  0 |       100.00 |  100.00 |' in output
    assert (voc / 'report/index.html').stat().st_size > 30_000


def test_comparison_and_policies(voc, run):
    (voc / 'second').mkdir()
    (voc / 'second/comp4_det_test_dog.txt').write_text('a 0.9 1 1 40 40\n')
    common = ('--voc-root', voc / 'voc', '--detections', voc / 'found', '--compare', voc / 'second', '--mode', 'area')
    output = run(*common, '--count-difficult', '--json').out
    numbers = json.loads(output.splitlines()[-1])
    assert numbers['per_class']['dog']['AP_area'] == 1.0
    assert numbers['compared_with']['per_class']['dog']['AP_area'] == 0.5
    assert numbers['compared_with']['per_class']['cat']['AP_area'] == 0.0
    assert numbers['policy'] == 'difficult objects count like all others'
    assert 'has no file for aeroplane, ' in output and 'AP 11 points' not in output


def test_bad_input_is_one_sentence(voc, run):
    arguments = ('--voc-root', voc / 'voc', '--detections', voc / 'found')
    (voc / 'found/comp4_det_test_dog.txt').write_text('a 0.9 1 1 40 40\nb 0.8 201 1 240 40\n')
    result = run(*arguments, code=2)
    assert result.err.strip().endswith("comp4_det_test_dog.txt, line 2: image 'b' is not in the split.")
    assert result.err.count('\n') == 1


def test_a_process_of_its_own(voc):
    command = [sys.executable, TOOL, '--voc-root', voc / 'voc', '--detections', voc / 'found', '--json']
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(output.splitlines()[-1])['detections'] == 4


def test_help_imports_nothing_heavy():
    command = [sys.executable, '-X', 'importtime', TOOL, '--help']
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert '--voc-root' in result.stdout
    assert not {line.split('|')[-1].strip() for line in result.stderr.splitlines()} & {'torch', 'numpy', 'mmengine'}
