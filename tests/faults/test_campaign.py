"""A short sample of `make faults`, which docs/reliability.md is about; and what its table says."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from mobilenext_det.errors import UsageError
from tests.faults import campaign
from tests.faults.contained import Fault, outcomes
from tests.faults.world import ROOT


def test_a_sample_does_no_harm(tmp_path):
    """In a process of its own: it forks, which torch's autograd does not bear once it was used in a process."""
    record = tmp_path / 'reliability.json'
    shutil.copy(campaign.PAGE, record.with_suffix('.md'))
    command = [sys.executable, '-m', 'tests.faults.campaign', '--count', '4', '--record', record]
    process = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    done = json.loads(record.read_text())
    assert done.keys() == json.loads(campaign.RECORD.read_text()).keys()
    assert campaign.broken(done) == 0
    assert all(row['injected'] for row in done.values())


def test_one_row_needs_the_record_of_the_others(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['campaign', '--only', 'config', '--record', str(tmp_path / 'none.json')])
    with pytest.raises(SystemExit):
        campaign.main()
    assert f'There is no {tmp_path}/none.json' in capsys.readouterr().err


def read_anything(one):
    """Do what each of these says."""
    if one == 'hang':
        time.sleep(60)
    if one == 'die':
        os.kill(os.getpid(), signal.SIGKILL)
    if one == 'memory':
        bytearray(2 << 30)
    if isinstance(one, Exception):
        raise one
    return one


def test_whatever_an_input_does_is_told(monkeypatch):
    monkeypatch.setattr('tests.faults.contained.SECONDS', 1)
    inputs = [
        'read',
        'hang',
        'die',
        'memory',
        UsageError('No.'),
        UsageError('No.\nYes.'),
        KeyError('x'),
        Fault('NaN'),
        'read',
    ]
    assert [end.partition(' at ')[0] for end in outcomes(read_anything, inputs)] == [
        'read',
        'FAULT hangs for more than 1 s',
        'FAULT ends the process (-9)',
        "FAULT MemoryError: ''",
        'sentence',
        "FAULT not one sentence: 'No.\\nYes.'",
        'FAULT KeyError: "\'x\'"',
        'FAULT NaN',
        'read',
    ]  # fmt: skip


def test_the_table_counts_what_did_harm(tmp_path):
    (tmp_path / 'record.md').write_text('Before.\n<!-- table -->\nold\n<!-- end -->\nAfter.\n')
    record = {'kill': dict(injected=3, outcomes={'same': 2, 'FAULT differs': 1}, seconds=90)}
    campaign.write(record, tmp_path / 'record.json')
    assert json.loads((tmp_path / 'record.json').read_text()) == record
    text = (tmp_path / 'record.md').read_text()
    assert text.startswith('Before.\n<!-- table -->\n\n| injected |')
    assert '| kill | 3 | 2 same | 1 | 1.5 |\n\n<!-- end -->\nAfter.\n' in text


def test_the_page_in_the_docs_is_made_of_its_record():
    record = json.loads(campaign.RECORD.read_text())
    assert campaign.table(record) in campaign.PAGE.read_text()
    assert campaign.broken(record) == 0
