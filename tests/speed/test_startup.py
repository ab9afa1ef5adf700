"""What is said about measured starts; the tool's test measures."""

import pytest

from mobilenext_det.errors import UsageError
from mobilenext_det.speed.commands import Settings
from mobilenext_det.speed.startup import Start, compare_startup, report


def test_medians_of_phases_and_of_the_whole():
    starts = {
        'stock': [Start(6, 1, 2, 1, 900), Start(7, 1, 2, 1, 950), Start(20, 1, 2, 1, 920)],
        'mobilenext': [Start(4, 1, 1, 1, 800), Start(4, 2, 1, 1, 800), Start(4, 3, 1, 1, 820)],
    }
    imports = {'stock': {'torch': 3.0, 'rich': 0.0}, 'mobilenext': {'torch': 2.0, 'rich': 0.1}}
    found = report(starts, imports, Settings(batch_size=2), 'here')
    assert [start.seconds for start in starts['stock']] == [10, 11, 24]
    assert (found.numbers['ours'], found.numbers['stock'], found.numbers['ratio']) == (8, 11, 11 / 8)
    cells = {
        line.split('|')[1].strip(): [c.strip() for c in line.split('|')[2:5]]
        for line in found.text.splitlines()
        if '|' in line
    }
    assert cells['imports, config'] == ['7.00', '4.00', '1.75']
    assert cells['command to first iteration'] == ['11.00', '8.00', '1.38']
    assert cells['MiB'] == ['950', '820', '']
    assert cells['torch'] == ['3.00', '2.00', '1.50']
    assert cells['rich'] == ['0.00', '0.10', '-']
    assert cells['all'] == ['3.00', '2.10', '1.43']


def test_nothing_to_measure_is_refused(toy_root):
    with pytest.raises(UsageError, match='^--rounds 0 is too small'):
        compare_startup(Settings(toy_root), rounds=0)
