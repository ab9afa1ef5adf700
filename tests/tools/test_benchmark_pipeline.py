"""The pipeline benchmark as a person runs it, in its own processes."""

import json
import shutil
from pathlib import Path

import pytest


def test_all_take_turns_on_the_same_pictures(tools, toy_root, capsys):
    arguments = ('--data-root', toy_root, '--images', 12, '--rounds', 1, '--json')
    assert tools.main('benchmark/pipeline.py', *arguments) == 0
    *text, last = capsys.readouterr().out.splitlines()
    numbers = json.loads(last)
    assert list(numbers)[:3] == ['ours', 'stock', 'ratio']
    assert numbers['ratio'] == pytest.approx(numbers['ours'] / numbers['stock'])
    assert list(numbers['rows']) == ['stock', 'ours', 'cached']
    for row in numbers['rows'].values():
        assert row['images_per_second'] > 0 and row['peak_mib'] > row['own_mib'] >= 0
        assert all(ms > 0 for ms in row['ms'].values())
    assert 'MinIoURandomCrop' in numbers['rows']['stock']['ms']
    assert 'SSDRandomCrop' in numbers['rows']['ours']['ms']
    assert '12 pictures of' in '\n'.join(text)


def test_what_is_wrong_is_said(tools, tmp_path, capsys):
    assert tools.main('benchmark/pipeline.py', '--data-root', tmp_path) == 2
    assert capsys.readouterr().err.startswith(f'There is no {tmp_path}/VOC2007/')


def test_bad_data_is_named_by_the_process_that_reads_it(tools, toy_root, tmp_path, capsys):
    root = Path(shutil.copytree(toy_root, tmp_path / 'toy'))
    (root / 'VOC2007' / 'ImageSets' / 'Main' / 'trainval.txt').write_text('')
    assert tools.main('benchmark/pipeline.py', '--data-root', root) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f'{root}/VOC2007/ImageSets/Main/trainval.txt: the split file is empty')
