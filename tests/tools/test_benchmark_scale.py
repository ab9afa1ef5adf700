"""The scale curves as a person makes them: one training after another, the last one in two processes."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest

TINY = ('--batch-sizes', 2, '--sizes', '--widths', '--workers', '--processes', '--iterations', 1)


def test_a_table_a_plot_and_numbers(tools, toy_root, tmp_path, capsys):
    assert tools.main('benchmark/scale.py', '--out', tmp_path, '--data-root', toy_root, *TINY, '--json') == 0
    *table, last = capsys.readouterr().out.splitlines()
    numbers = json.loads(last)
    assert numbers == json.loads((tmp_path / 'scale.json').read_text())
    assert '\n'.join(table) == (tmp_path / 'scale.md').read_text().rstrip()
    (row,) = numbers['curves'].pop('batch_size')
    assert numbers['curves'] == {}
    point = dict(batch_size=2, size=320, width=1.0, workers=2, processes=1)
    assert {key: row[key] for key in point} == point
    assert row['epoch_minutes'] == pytest.approx(16551 / row['images_per_second'] / 60)
    assert row['peak_mib'] > 300
    assert (tmp_path / 'scale.png').read_bytes().startswith(b'\x89PNG')


def test_a_training_that_fails_is_named_with_its_own_words_and_nothing_is_left(tools, toy_root, tmp_path, capsys):
    root = Path(shutil.copytree(toy_root, tmp_path / 'toy'))
    annotation = root / 'VOC2007' / 'Annotations' / '000001.xml'
    name = re.search('<name>(.+)</name>', annotation.read_text())[1]
    annotation.write_text(annotation.read_text().replace(f'<name>{name}<', '<name>misspelt<'))
    assert tools.main('benchmark/scale.py', '--out', tmp_path / 'out', '--data-root', root, *TINY) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith('batch_size 2, size 320, width 1.0, workers 2, processes 1 ended with exit code 2 in its ')
    assert str(annotation) in said and 'misspelt' in said
    commands = [path.read_text() for path in Path('/proc').glob('[0-9]*/cmdline') if os.access(path, os.R_OK)]
    assert not [command for command in commands if str(root) in command]


def test_what_is_wrong_is_said(tools, toy_root, tmp_path, capsys):
    assert tools.main('benchmark/scale.py', '--out', tmp_path, '--data-root', toy_root, '--processes', 5) == 2
    assert capsys.readouterr().err == '--processes 5 cannot share 24 images and 2 workers evenly.\n'
