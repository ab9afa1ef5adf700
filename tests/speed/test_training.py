"""What is said about measured seconds, and what is refused; the tool's test measures."""

import os
import re
import shutil
from pathlib import Path

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.commands import Settings
from mobilenext_det.speed.process_group import Memory
from mobilenext_det.speed.training import Measured, compare_training, report

SETTINGS = Settings(batch_size=24)


def measured(*seconds):
    return Measured(list(seconds), Memory(1000.0, 500.0))


def test_each_group_is_compared_with_its_own_stock():
    groups = [
        {'stock': measured(4, 6, 5), 'mobilenetv2': measured(1, 1, 2), 'mobilenext': measured(2, 2, 9)},
        {'stock': measured(6, 6, 6), 'mobilenext-fp32': measured(3, 3, 3)},
    ]
    found = report(groups, SETTINGS, 1, 'here')
    rows = found.numbers['rows']
    assert [row['name'] for row in rows] == ['stock', 'mobilenetv2', 'mobilenext', 'stock', 'mobilenext-fp32']
    assert [row['images_per_second'] for row in rows] == pytest.approx([4.8, 24, 12, 4, 8])
    assert [row['ratio'] for row in rows] == pytest.approx([1, 5, 2.5, 1, 2])
    assert rows[0]['quartiles'] == pytest.approx([4.4, 5.4])
    ours, stock, ratio = (found.numbers[key] for key in ('ours', 'stock', 'ratio'))
    assert (ours, stock, ratio) == pytest.approx((12, 4.8, 2.5))
    lines = [line for line in found.text.splitlines() if line.startswith('|')]
    assert len(lines) == 2 + 5
    assert [cell.strip() for cell in lines[4].split('|')[1:4]] == ['MobileNeXt', 'default', '12.00']
    assert [cell.strip() for cell in lines[6].split('|')[5:8]] == ['2.00', '1000', '500']
    assert [cell.strip() for cell in lines[6].split('|')[1:3]] == ['MobileNeXt', 'fp32']
    assert '24 images a step, 320x320, 2 workers' in found.text and 'Machine: here.' in found.text


def test_without_mobilenext_the_first_is_the_headline():
    found = report([{'stock': measured(4), 'mobilenetv2-fp32': measured(2)}], SETTINGS, 1, 'here')
    assert found.numbers['ratio'] == 2


@pytest.mark.parametrize('option', ['rounds', 'iterations'])
def test_nothing_to_measure_is_refused(option, toy_root):
    with pytest.raises(UsageError, match=f'^--{option} 0 is too small: take 1 or more.$'):
        compare_training(Settings(toy_root), **{option: 0})


def test_a_training_that_fails_is_named_and_nothing_is_left(toy_root, tmp_path):
    """Stock drops objects of a misspelt class, ours stops; stock is paused by then."""
    root = Path(shutil.copytree(toy_root, tmp_path / 'toy'))
    annotation = root / 'VOC2007' / 'Annotations' / '000001.xml'
    name = re.search('<name>(.+)</name>', annotation.read_text())[1]
    annotation.write_text(annotation.read_text().replace(f'<name>{name}<', '<name>misspelt<'))
    with pytest.raises(UsageError) as error:
        compare_training(Settings(str(root), batch_size=2, size=160, workers=1), ['mobilenext'], 1, 1)
    assert str(error.value).startswith(f'mobilenext ended with exit code 2 in its training: {annotation}')
    assert 'misspelt' in str(error.value)
    commands = [path.read_text() for path in Path('/proc').glob('[0-9]*/cmdline') if os.access(path, os.R_OK)]
    assert not [command for command in commands if str(root) in command]
